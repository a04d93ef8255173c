//! Programs of others that a test needs.

/// Fails where a program is missing, and says how to get it: nothing is skipped in silence.
#[track_caller]
pub fn require(program: &str) {
    let found = ["/usr/bin", "/bin"]
        .iter()
        .any(|folder| std::path::Path::new(folder).join(program).exists());
    assert!(found, "{program} is not installed: run scripts/test, which installs it");
}
