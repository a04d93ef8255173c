//! Statuses that speak for themselves, as one table from number to code.

/// The code of the entry for a status other than 101, where nothing but the number is known.
pub fn of_status(status: u16) -> &'static str {
    match status {
        200..=299 => "W305",
        300..=399 => "W310",
        401 => "W326",
        403 => "W332",
        404 => "W334",
        405 => "W336",
        406 | 415 => "W337",
        408 => "W338",
        410 | 451 => "W339",
        421 => "W211",
        426 => "W320",
        429 => "W340",
        431 => "W325",
        495 | 496 => "W212",
        502 => "W343",
        503 => "W344",
        504 => "W345",
        505 => "W346",
        520..=530 => "W347",
        500..=599 => "W341",
        // A 400, and what the registry gives no meaning that matters here.
        _ => "W323",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_an_entry() {
        for status in 0..=999 {
            let entry = crate::diagnostics::entry(of_status(status));
            assert!(entry.is_some(), "{status}");
        }
    }
}
