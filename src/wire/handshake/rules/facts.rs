//! A captured handshake, parsed once, with its offers matched with the answers. The rules only
//! compare these facts.

use super::context::HandshakeContext;
use crate::wire::deflate::params::{self, DeflateFault, DeflateOffer, Fit};
use crate::wire::handshake::Agreed;
use crate::wire::handshake::grammar::{
    Extension, GrammarError, SubprotocolList, parse_extensions, parse_subprotocols,
};
use crate::wire::handshake::headers::{EXTENSIONS, PROTOCOL};
use crate::wire::head::Head;

/// The facts that the rules use.
pub(super) struct HandshakeFacts<'a> {
    pub context: &'a HandshakeContext<'a>,
    pub request: &'a Head,
    /// The status code and the response, if there is one.
    pub response: Option<(&'a Head, Option<u16>)>,
    pub offered_subprotocols: SubprotocolList,
    pub offered_extensions: Result<Vec<Extension>, GrammarError>,
    pub accepted_extensions: Result<Vec<Extension>, GrammarError>,
    pub deflate: DeflateFacts,
}

/// The permessage-deflate elements of both heads.
#[derive(Default)]
pub(super) struct DeflateFacts {
    /// Every offered element, parsed or with its faults.
    pub offered: Vec<Result<DeflateOffer, Vec<DeflateFault>>>,
    /// The offers without fault, which a server may accept.
    pub offers: Vec<DeflateOffer>,
    /// The elements in the response; more than one is a violation.
    pub answers: Vec<Extension>,
    /// The first answer, compared with the offers.
    pub fit: Option<Fit>,
}

impl<'a> HandshakeFacts<'a> {
    pub fn gather(context: &'a HandshakeContext<'a>) -> Self {
        let request = context.request;
        let offered_extensions = parse_extensions(request.get_all(EXTENSIONS));
        let response =
            context.response.map(|head| (head, head.status_line().map(|line| line.code)));
        let accepted_extensions = match response {
            Some((head, Some(101))) => parse_extensions(head.get_all(EXTENSIONS)),
            _ => Ok(Vec::new()),
        };
        let deflate = DeflateFacts::gather(&offered_extensions, &accepted_extensions);
        Self {
            context,
            request,
            response,
            offered_subprotocols: parse_subprotocols(request.get_all(PROTOCOL)),
            offered_extensions,
            accepted_extensions,
            deflate,
        }
    }

    /// The response if its status is 101; otherwise why the rule does not apply.
    pub fn switched(&self) -> Result<&'a Head, &'static str> {
        match self.response {
            None => Err("no response"),
            Some((head, Some(101))) => Ok(head),
            Some(_) => Err("the status is not 101"),
        }
    }

    /// The response and its status, if the status is not 101.
    pub fn refused(&self) -> Result<(&'a Head, u16), &'static str> {
        match self.response {
            None => Err("no response"),
            Some((_, None)) => Err("no status line"),
            Some((_, Some(101))) => Err("the status is 101"),
            Some((head, Some(code))) => Ok((head, code)),
        }
    }

    /// Whether the request contains this subprotocol, with exactly this spelling, legal or not.
    pub fn offers_subprotocol(&self, name: &[u8]) -> bool {
        self.request.tokens(PROTOCOL).any(|offered| offered == name)
    }

    pub fn agreed(&self) -> Agreed {
        let Ok(response) = self.switched() else {
            return Agreed::default();
        };
        let subprotocol = response
            .get_all(PROTOCOL)
            .find(|name| self.offers_subprotocol(name))
            .map(|name| String::from_utf8_lossy(name).into_owned());
        let deflate = match (&self.deflate.fit, self.deflate.answers.len()) {
            (Some(fit), 1) if fit.offer.is_some() => fit.outcome.as_ref().ok().copied(),
            _ => None,
        };
        Agreed {
            subprotocol,
            deflate,
            extensions: self.accepted_extensions.clone().unwrap_or_default(),
        }
    }
}

impl DeflateFacts {
    fn gather(
        offered: &Result<Vec<Extension>, GrammarError>,
        accepted: &Result<Vec<Extension>, GrammarError>,
    ) -> Self {
        let elements = |list: &Result<Vec<Extension>, GrammarError>| -> Vec<Extension> {
            let list = list.as_deref().unwrap_or_default();
            let ours = list.iter().filter(|element| element.name == params::NAME);
            ours.cloned().collect()
        };
        let offered: Vec<_> = elements(offered).iter().map(DeflateOffer::parse).collect();
        let offers: Vec<_> = offered.iter().flatten().copied().collect();
        let answers = elements(accepted);
        let fit = answers.first().map(|answer| Fit::best(&offers, answer));
        Self { offered, offers, answers, fit }
    }

    /// The answer, and the offer that it belongs to.
    pub fn matched(&self) -> Option<(&DeflateOffer, &Extension)> {
        let offer = self.offers.get(self.fit.as_ref()?.offer?)?;
        Some((offer, self.answers.first()?))
    }

    /// The faults of the answer.
    pub fn answer_faults(&self) -> &[DeflateFault] {
        match &self.fit {
            Some(Fit { outcome: Err(faults), .. }) => faults,
            _ => &[],
        }
    }
}
