//! What each kept message of the peer is: a heartbeat, an answer to our request, or something else.
//!
//! The diagnoses of a session ask this view, and not the last message alone: a heartbeat or an event
//! after an error hides nothing.

use std::cell::OnceCell;

use serde_json::{Map, Value};

use super::Facts;
use super::answer::{self, ids, kinds, plain, stem};
use super::complaint::{fails, names_error, refuses_login};
use super::facts::{CrossedMessage, HEARD_MOST, LastHeard, SILENCE};
use super::heard::{self, Grievance, is_copy};
use super::inner::{InnerProtocol, is_expected};

/// What a message of the peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeerPart {
    /// It came before our first message, or is the first one and greets.
    Greeting,
    /// It only keeps the session alive.
    Heartbeat,
    /// It says that the server ends.
    Announcement,
    /// It is about something else than our requests.
    Push,
    /// It answers a message of ours, or is a copy of it.
    Answer,
}

/// A message of the peer.
#[derive(Debug)]
pub(super) struct PeerMessage<'a> {
    pub content: &'a [u8],
    pub part: PeerPart,
    /// The text of the refusal, if it refuses our request.
    pub refusal: Option<String>,
    /// Whether it tells how the requested work ended, or is a part of the requested result.
    pub is_outcome: bool,
    /// Whether other messages have its form, too.
    pub is_repeated: bool,
    /// Its place among the kept messages.
    at: usize,
}

/// The kept messages of the peer, in their order.
pub(super) struct Dialogue<'a> {
    pub theirs: Vec<PeerMessage<'a>>,
    kept: &'a [CrossedMessage<'a>],
    /// All messages were kept.
    is_whole: bool,
    /// The peer's Close has a code that refuses.
    is_refused: bool,
    /// The places of our messages without an answer.
    waiting: Vec<usize>,
    /// The places of our heartbeats.
    beats: Vec<usize>,
}

/// A message as far as its form shows.
struct MessageForm<'a> {
    content: &'a [u8],
    text: String,
    members: Map<String, Value>,
    /// It is a list, such as one of records.
    is_list: bool,
    /// It is an XML element, whose root may name a record.
    is_xml: bool,
    /// Whether it is a complaint, once that was asked.
    grievance: OnceCell<Option<Grievance>>,
}

/// A message of which there are more copies than this is a heartbeat.
const OFTEN: usize = 2;

/// The most messages between a refusal and an end that it explains.
const EVENTS: usize = 2;

/// The most messages of the peer in a short session.
const SHORT: usize = 4;

/// The longest heartbeat without a name.
const BEAT_LEN: usize = 120;

/// Whether a Close with this code refuses a client, or what it asked for.
fn is_refusal(code: u16) -> bool {
    matches!(code, 1008 | 3000 | 3003 | 4000..=4999)
}

impl<'a> MessageForm<'a> {
    fn of(content: &'a [u8]) -> Self {
        let text = heard::text(content);
        let bare = heard::bare(&text);
        let (is_list, is_xml) = (bare.starts_with('['), bare.starts_with('<'));
        let text = heard::object_text(&bare).into_owned();
        let members = answer::object(&text).unwrap_or_default();
        Self { content, text, members, is_list, is_xml, grievance: OnceCell::new() }
    }

    /// Whether it is a complaint, and how surely.
    fn grievance(&self) -> Option<Grievance> {
        *self.grievance.get_or_init(|| heard::complains(self.content))
    }

    /// Its kind, or the names of its members: messages of one form are about one matter.
    fn matter(&self) -> String {
        let named = ["type", "event", "op", "channel", "topic", "T", "e", "stream", "method"];
        let named = named.iter().find_map(|name| self.members.get(*name)?.as_str());
        let names = || self.members.keys().cloned().collect::<Vec<_>>().join(" ");
        named.map_or_else(names, str::to_owned)
    }

    /// Whether it is about the same matter as another message, or has the same members.
    fn is_like(&self, other: &Self) -> bool {
        let names = |form: &Self| form.members.keys().cloned().collect::<Vec<_>>();
        !self.members.is_empty() && (self.matter() == other.matter() || names(self) == names(other))
    }

    /// Whether it has an id, and another message has the same one.
    fn shares_id(&self, other: &Self) -> bool {
        ids(&self.members).any(|own| ids(&other.members).any(|one| one == own))
    }

    /// Whether it is an error and nothing else, in a message without a kind of another matter.
    fn is_pure_error(&self, asked: Option<&Self>) -> bool {
        let answers = ["response", "reply", "result", "ack"];
        let verb = |kind: &str| {
            asked.is_some_and(|ours| kinds(&ours.members).any(|one| stem(one) == stem(kind)))
        };
        let ours =
            |kind: &str| names_error(kind) || fails(kind) || verb(kind) || answers.contains(&kind);
        let bare = !self.members.is_empty() && !self.is_xml;
        bare && !answer::has_own_data(&self.members) && kinds(&self.members).all(ours)
    }

    /// Whether one of its texts refuses a login.
    fn refuses_login(&self) -> bool {
        self.members.values().filter_map(Value::as_str).any(refuses_login)
    }

    /// The numbers that it has as ids, with their names.
    fn numbers(&self) -> impl Iterator<Item = (String, u64)> {
        ids(&self.members).filter_map(|(name, _, id)| Some((name, id.as_u64()?)))
    }

    /// Whether it has the id of a message of ours. `None` if one of both has no id.
    fn repeats_id(&self, ours: &Self) -> Option<bool> {
        let own: Vec<_> = ids(&self.members).collect();
        let asked = ids(&ours.members).filter(|(_, answers, _)| !answers);
        let pairs = asked.flat_map(|ours| own.iter().map(move |own| (ours.clone(), own)));
        let pairs = pairs.filter(|((name, ..), (own, answers, _))| name == own || *answers);
        pairs.map(|((.., value), (.., own))| value == *own).max()
    }

    /// Whether it has the verb of a message of ours, in any form of the word.
    fn repeats_verb(&self, ours: &Self) -> bool {
        kinds(&ours.members).any(|asked| kinds(&self.members).any(|own| stem(own) == stem(asked)))
    }

    /// Whether its kind says that the session was opened, as in `session.created`, and no request
    /// asked for that. A greeting often comes after our first message, which did not wait for it.
    fn opens<'b>(&self, mut asked: impl Iterator<Item = &'b MessageForm<'b>>) -> bool {
        const SESSIONS: [&str; 5] = ["session", "connection", "socket", "websocket", "client"];
        const OPENED: [&str; 8] = [
            "created",
            "started",
            "opened",
            "open",
            "established",
            "accepted",
            "ready",
            "initialized",
        ];
        const OPENING: [&str; 14] = [
            "config",
            "configure",
            "settings",
            "setup",
            "start",
            "login",
            "auth",
            "authenticate",
            "authorize",
            "connect",
            "hello",
            "identify",
            "join",
            "init",
        ];
        let greets = |words: &[String]| {
            let is_in = |list: &[&str], word: &String| list.contains(&&**word);
            let known = |word| is_in(&SESSIONS, word) || is_in(&OPENED, word);
            words.iter().all(known)
                && words.iter().any(|word| is_in(&SESSIONS, word))
                && words.iter().any(|word| is_in(&OPENED, word))
        };
        let Some(own) = kinds(&self.members).map(answer::words).find(|words| greets(words)) else {
            return false;
        };
        // Each word of such a request is in the answer to it, in one of its forms.
        let repeated = |word: &String| {
            own.iter().any(|one| one.starts_with(&**word) || stem(one) == stem(word))
        };
        asked.all(|ours| {
            let mut verbs = kinds(&ours.members).map(answer::words).peekable();
            verbs.peek().is_some()
                && verbs.all(|words| {
                    !words.iter().all(repeated)
                        && !words.iter().any(|word| OPENING.contains(&&**word))
                })
        })
    }

    fn is_whole_object(&self) -> bool {
        self.content.len() < HEARD_MOST && !self.members.is_empty()
    }

    /// Whether it refuses this request, as JSON, as XML or in words. The object in a list is an
    /// answer only if it has the id of the request; otherwise it may be a record.
    fn refuses(&self, request: &str, by_id: bool) -> bool {
        if self.text.starts_with('{') && (by_id || !self.is_list) {
            let whole = self.content.len() < HEARD_MOST;
            return answer::refuses(request, &self.text, whole);
        }
        // A request may ask about a status of HTTP: `explain 403`.
        let status = self.text.get(..3).filter(|code| code.parse::<u16>().is_ok());
        let asked = status.is_some_and(|code| request.contains(code));
        !asked && self.grievance() >= Some(Grievance::Shouted)
    }

    /// Whether it continues a report of `earlier`: the same state has another value now.
    fn continues(&self, earlier: &Self) -> bool {
        let fine = |word: &str| ["ok", "success"].contains(&&*plain(word));
        let moved = ["status", "state", "phase", "stage"].iter().any(|name| {
            let of =
                |form: &Self| form.members.get(*name).and_then(Value::as_str).map(str::to_owned);
            let (before, now) = (of(earlier), of(self));
            before.is_some_and(|word| {
                !fine(&word) && !fails(&word) && now.is_some_and(|now| now != word)
            })
        });
        let names = |name: &String| self.members.contains_key(name);
        let same = |(name, value): (&String, &Value)| self.members.get(name) == Some(value);
        moved && (earlier.members.keys().all(names) || earlier.members.iter().any(same))
    }
}

impl<'a> Dialogue<'a> {
    /// Reads the kept messages. With a lens, what the lens read decides.
    pub fn of(facts: &Facts<'a>, inner: Option<&InnerProtocol>) -> Self {
        let kept = facts.stream.kept;
        let forms: Vec<MessageForm<'a>> =
            kept.iter().map(|message| MessageForm::of(message.content)).collect();
        let places = |ours: bool| (0..kept.len()).filter(move |at| kept[*at].ours == ours);
        let sent: Vec<usize> = places(true).collect();
        let count = |at: usize, key: &dyn Fn(&MessageForm<'a>) -> String| {
            places(false).filter(|other| key(&forms[*other]) == key(&forms[at])).count()
        };
        // A number that the server counts on itself is no id of a request.
        let highest = |name: &str| {
            let all = sent.iter().flat_map(|ours| forms[*ours].numbers());
            all.filter(|(own, _)| own == name).map(|(_, number)| number).max()
        };
        let counts = places(false)
            .flat_map(|at| forms[at].numbers())
            .any(|(name, number)| highest(&name).is_some_and(|own| number == own.wrapping_add(1)));
        let has_id =
            |at: usize, ours: &usize| forms[at].repeats_id(&forms[*ours]).filter(|_| !counts);
        // Whether answers have the ids of their requests.
        let by_id = places(false).any(|at| sent.iter().any(|ours| has_id(at, ours) == Some(true)));
        // An `/expect` for a field has the text of the lens. Without the lens, nobody knows which
        // message that was.
        let is_kept = |text: &Vec<u8>| {
            let most = |content: &'a [u8]| &content[..content.len().min(HEARD_MOST)];
            text.is_empty() || kept.iter().any(|message| most(message.content) == text)
        };
        let unknown = inner.is_none() && !facts.stream.expected.iter().all(is_kept);
        let mut waiting: Vec<usize> = Vec::new();
        let mut theirs: Vec<PeerMessage<'a>> = Vec::new();
        // Whether the peer's Close says that the server leaves.
        let leaves =
            facts.close.received.is_some_and(|body| matches!(body.code, Some(1001 | 1012)));
        // Whether only answers and heartbeats came since our last message.
        let mut is_direct = false;
        let marks = |form: &MessageForm<'a>| form.grievance() >= Some(Grievance::Marked);
        for (at, form) in forms.iter().enumerate() {
            if kept[at].ours {
                waiting.push(at);
                is_direct = facts.stream.kept_all || facts.stream.kept_next;
                continue;
            }
            let before = &sent[..sent.partition_point(|ours| *ours < at)];
            let marked = marks(form);
            let copied = before.iter().find(|ours| is_copy(forms[**ours].content, form.content));
            let same_id = before.iter().find(|ours| has_id(at, ours) == Some(true));
            // A form that comes more often than we asked is one of records.
            let others = || {
                let first = sent.first().copied().unwrap_or_default();
                places(false).filter(move |other| *other > first && *other != at)
            };
            let alike = |other: &usize| !marks(&forms[*other]) && forms[*other].is_like(form);
            let is_numbered = counts && form.numbers().next().is_some();
            let is_record =
                is_numbered || !sent.is_empty() && others().filter(alike).count() >= sent.len();
            let same_verb =
                before.iter().rfind(|ours| !is_record && form.repeats_verb(&forms[**ours]));
            let next = waiting.first().filter(|_| facts.stream.kept_all || is_direct);
            let often = |most| {
                !form.members.is_empty() && !marked && count(at, &MessageForm::matter) > most
            };
            let beats = |at: usize| {
                let text = &forms[at].text;
                let equal = || count(at, &|one| one.text.clone()) > OFTEN;
                !marks(&forms[at])
                    && (heard::keeps_alive(text) || text.len() <= BEAT_LEN && equal())
            };
            let (part, answered) = if inner.is_some_and(|inner| inner.read[at].is_idle) {
                (PeerPart::Heartbeat, None)
            } else if copied.is_some() {
                (PeerPart::Answer, copied)
            } else if same_id.is_some() {
                (PeerPart::Answer, same_id)
            } else if beats(at) {
                (PeerPart::Heartbeat, None)
            } else if before.is_empty() && !sent.is_empty() {
                (PeerPart::Greeting, None)
            } else if before.iter().any(|ours| has_id(at, ours).is_some()) {
                (PeerPart::Push, None)
            } else if theirs.is_empty()
                && !marked
                && form.opens(before.iter().map(|ours| &forms[*ours]))
            {
                (PeerPart::Greeting, None)
            } else if same_verb.is_some() {
                (PeerPart::Answer, same_verb)
            } else if theirs.is_empty() && !marked && heard::greets(form.content) {
                (PeerPart::Greeting, None)
            } else if (!is_direct || waiting.is_empty() || leaves)
                && heard::announces_end(form.content)
            {
                (PeerPart::Announcement, None)
            } else if often(sent.len()) || by_id && !marked || next.is_none() {
                (PeerPart::Push, None)
            } else {
                (PeerPart::Answer, next)
            };
            let answered = answered.copied();
            let next_answer = is_direct;
            is_direct &= part != PeerPart::Push;
            waiting.retain(|ours| Some(*ours) != answered);
            let request = answered.or(before.last().copied()).map(|ours| forms[ours].text.as_str());
            let login = form.refuses_login();
            let continues = !login && theirs.iter().any(|one| form.continues(&forms[one.at]));
            // Messages of other matters after it, before this side sent more.
            let until = sent.iter().find(|ours| **ours > at).copied().unwrap_or(kept.len());
            let goes_on = places(false)
                .any(|one| one > at && one < until && !marks(&forms[one]) && !beats(one));
            let same = |other: &usize| forms[*other].shares_id(form) && !counts;
            let clear = if same_id.is_some() {
                // Earlier messages of the same request are parts of its result, and later ones show
                // that it goes on.
                let earlier = others().filter(|other| *other < at && same(other)).count();
                let later =
                    others().any(|other| other > at && same(&other) && !marks(&forms[other]));
                earlier < 2 && !later
            } else {
                let asked = answered.map(|ours| &forms[ours]);
                let pure = form.is_pure_error(asked);
                let in_turn = same_verb.is_some() || next_answer;
                let heard_before = theirs.iter().any(|one| one.part == PeerPart::Answer);
                !is_record && (in_turn && (!goes_on || pure) || !goes_on && pure && heard_before)
            };
            let refuses =
                copied.is_none() && form.refuses(request.unwrap_or_default(), same_id.is_some());
            let (failure, line) = match inner {
                // Bytes may have begun in a message that was not kept.
                Some(inner) => {
                    let whole = (facts.stream.kept_all || kept[at].text) && copied.is_none();
                    // One of several messages of an exchange is a part of its result.
                    let part = |one: usize| {
                        same(&one) && forms[one].is_like(form) && inner.read[one].failure.is_none()
                    };
                    let whole = whole && !others().any(part);
                    let failure = inner.read[at].failure.clone().filter(|_| whole);
                    (failure.clone(), failure.unwrap_or_default())
                }
                None => {
                    let refused =
                        part == PeerPart::Answer && clear && !continues && refuses && !unknown;
                    (refused.then(|| heard::shown(form.content)), String::new())
                }
            };
            theirs.push(PeerMessage {
                content: form.content,
                part,
                refusal: failure.filter(|_| !is_expected(facts, &line, form.content)),
                is_outcome: !login
                    && (continues || request.is_some() && form.is_whole_object() && !refuses),
                is_repeated: often(1),
                at,
            });
        }
        let is_refused = facts.close.received.and_then(|body| body.code).is_some_and(is_refusal);
        let is_beat = |at: &usize| match inner {
            Some(inner) => inner.read[*at].is_idle,
            None => heard::keeps_alive(&forms[*at].text),
        };
        let beats = sent.iter().copied().filter(is_beat).collect();
        Self { theirs, kept, is_whole: facts.stream.kept_all, is_refused, waiting, beats }
    }

    /// The refusals of our requests, except for those after which this side went on: it sent another
    /// message, and what came then was no refusal.
    pub fn refusals(&self) -> impl Iterator<Item = &str> {
        self.lasting().filter_map(|one| one.refusal.as_deref())
    }

    /// The messages that refuse our requests, in the same way.
    fn lasting(&self) -> impl Iterator<Item = &PeerMessage<'a>> {
        let went_on = |refused: &PeerMessage<'_>| {
            let ours = (refused.at..self.kept.len()).find(|at| self.kept[*at].ours);
            let fine = |one: &PeerMessage<'_>| {
                one.part != PeerPart::Heartbeat && one.refusal.is_none() && Some(one.at) > ours
            };
            ours.is_some() && self.theirs.iter().any(fine)
        };
        self.theirs.iter().filter(move |one| one.refusal.is_some() && !went_on(one))
    }

    /// The last refusal of our requests with its text, if it may explain the end.
    pub fn last_refusal(&self) -> Option<(&'a [u8], &str)> {
        let one = self.lasting().last().filter(|one| self.may_end(one))?;
        Some((one.content, one.refusal.as_deref()?))
    }

    /// The last message of the peer that is no heartbeat, as the last one that was heard, and whether
    /// heartbeats came after it.
    pub fn said_last(&self, facts: &Facts<'a>) -> Option<(LastHeard<'a>, bool)> {
        let heard = facts.stream.heard?;
        let newest = self.theirs.last();
        let mut said = self.theirs.iter().rev().skip_while(|one| one.part == PeerPart::Heartbeat);
        let Some(one) = said.next().filter(|one| newest.is_some_and(|last| last.at != one.at))
        else {
            return Some((heard, false));
        };
        let quiet = |one: &PeerMessage<'_>| self.kept[one.at].quiet;
        let before =
            said.next().filter(|before| quiet(before).saturating_sub(quiet(one)) < SILENCE);
        let answers = |at: usize| self.kept[at].ours && !self.beats.contains(&at);
        let heard = LastHeard {
            content: one.content,
            before: before.map_or(&[], |before| before.content),
            quiet: quiet(one),
            answered: (one.at..self.kept.len()).any(answers),
        };
        Some((heard, true))
    }

    /// Whether the end may follow from this message: it came shortly before, or the Close refuses
    /// and nothing since then shows a healthy session. A heartbeat shows that, too.
    fn may_end(&self, one: &PeerMessage<'_>) -> bool {
        let later = || self.theirs.iter().filter(|other| other.at > one.at);
        let events = later().filter(|other| other.part != PeerPart::Heartbeat).count();
        let answered = later().any(|other| other.part == PeerPart::Answer);
        let near = self.kept[one.at].quiet < SILENCE && events <= EVENTS;
        near || self.is_refused && self.is_whole && later().count() <= EVENTS && !answered
    }

    /// The error before the last message, if the last one is only a heartbeat, or if the last one is
    /// an event of a session without a message of ours, which is so short that each message may be
    /// about its end. Records have more than an error.
    pub fn error_before_last(&self) -> Option<&'a [u8]> {
        let [.., before, last] = &*self.theirs else { return None };
        let unasked = self.is_whole && !self.kept.iter().any(|message| message.ours);
        let event = !MessageForm::of(last.content).members.is_empty();
        let short = unasked && event && self.theirs.len() <= SHORT;
        let pure = MessageForm::of(before.content).is_pure_error(None) && !before.is_outcome;
        let fits = short || last.part == PeerPart::Heartbeat;
        (pure && fits && self.may_end(before)).then_some(before.content)
    }

    /// Our last message and the one before it, if the peer answered all our messages but the last
    /// one. If the last answer came after both, it must have the words of one of them alone.
    pub fn last_unanswered(&self) -> Option<(CrossedMessage<'a>, CrossedMessage<'a>)> {
        let ours: Vec<usize> = (0..self.kept.len()).filter(|at| self.kept[*at].ours).collect();
        let [.., before, last] = ours[..] else { return None };
        let answers = self.theirs.iter().filter(|one| one.part == PeerPart::Answer);
        let alone = self.is_whole && self.waiting == [last] && answers.count() + 1 == ours.len();
        let is_last = last + 1 == self.kept.len();
        let has_words = |message: &PeerMessage<'_>, ours: usize| {
            let words = heard::text(self.kept[ours].content);
            heard::repeats(&heard::text(message.content), &words)
        };
        let told = || {
            let after: Vec<_> = self.theirs.iter().filter(|one| one.at > last).collect();
            after.iter().any(|one| has_words(one, before))
                && !after.iter().any(|one| has_words(one, last))
        };
        (alone && (is_last || told())).then(|| (self.kept[last], self.kept[before]))
    }

    /// Whether only greetings and heartbeats came after our only message.
    pub fn is_ignored(&self) -> bool {
        let idle = [PeerPart::Greeting, PeerPart::Heartbeat];
        self.kept.iter().filter(|message| message.ours).count() == 1
            && self.theirs.iter().all(|one| idle.contains(&one.part))
    }
}
