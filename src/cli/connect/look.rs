//! How things look in a terminal: colours, names, times. Without colours the same words.

use super::harmless;
use parlor::Message;
use std::io::IsTerminal;
use std::time::SystemTime;
use time::macros::format_description;
use time::{Date, OffsetDateTime, UtcOffset};

/// Colours of names, of the 256 that terminals know: such as can be read on black and on white.
const NAMES: [u8; 14] = [31, 35, 64, 68, 71, 97, 98, 125, 130, 133, 136, 161, 166, 172];

/// Characters of a message that is only spoken of.
const GIST: usize = 60;

#[derive(Clone, Copy)]
pub struct Look {
    colours: bool,
    offset: UtcOffset,
}

impl Look {
    /// As whoever reads `out` wants it. To be called while there is one thread: only then the system tells the time zone.
    pub fn of(out: &impl IsTerminal) -> Look {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colours = out.is_terminal() && !unwanted && !is_dumb();
        Look { colours, offset: UtcOffset::current_local_offset().unwrap_or(UtcOffset::UTC) }
    }

    /// What is not the talk itself.
    pub fn quiet(self, text: &str) -> String {
        self.painted("2", text)
    }

    /// What must not be overlooked.
    pub fn loud(self, text: &str) -> String {
        self.painted("1", text)
    }

    /// What went wrong.
    pub fn alarm(self, text: &str) -> String {
        self.painted("31", text)
    }

    /// What is new.
    pub fn fresh(self, text: &str) -> String {
        self.painted("33", text)
    }

    /// A name, each always in the same colour.
    pub fn name(self, name: &str) -> String {
        // FNV-1a: the same name has the same colour in each terminal and on each day.
        let hash = name
            .to_lowercase()
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        self.painted(&format!("1;38;5;{}", NAMES[hash as usize % NAMES.len()]), &harmless::line(name))
    }

    fn painted(self, colour: &str, text: &str) -> String {
        if self.colours && !text.is_empty() { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// The hour and minute.
    pub fn time(self, at: SystemTime) -> String {
        let format = format_description!("[hour]:[minute]");
        self.local(at).format(format).unwrap_or_default()
    }

    /// The day.
    pub fn day(self, at: SystemTime) -> Date {
        self.local(at).date()
    }

    pub fn today(self) -> Date {
        self.day(SystemTime::now())
    }

    /// A line between two days.
    pub fn between_days(self, day: Date) -> String {
        let format = format_description!("[weekday] [day padding:none] [month repr:long] [year]");
        self.quiet(&format!("── {} ──", day.format(format).unwrap_or_default()))
    }

    fn local(self, at: SystemTime) -> OffsetDateTime {
        OffsetDateTime::from(at).to_offset(self.offset)
    }

    /// A message, a line for each of its own, told to `you`; above it what it answers, below it the reactions.
    pub fn message(self, message: &Message, answered: Option<&Message>, you: &str) -> Vec<String> {
        let start = format!("{} {}: ", self.quiet(&self.time(message.at)), self.name(&message.from));
        if message.deleted {
            return vec![format!("{start}{}", self.quiet("(deleted)"))];
        }
        let mentioned = mentions(&message.body, you) && message.from != you;
        let mut lines = harmless::lines(&message.body);
        for (n, line) in lines.iter_mut().enumerate() {
            let body = if mentioned { self.loud(line) } else { line.clone() };
            // Nothing but a message stands at the start of a line.
            *line = if n == 0 { format!("{start}{body}") } else { format!("      {body}") };
        }
        if let Some(last) = lines.last_mut().filter(|_| message.edited_at.is_some()) {
            last.push_str(&self.quiet(" (edited)"));
        }
        let answered = answered.map(|answered| self.quiet(&format!("    ↱ {}", gist(answered))));
        let given = message.reactions.iter();
        let given: Vec<String> =
            given.map(|one| format!("{} {}", harmless::line(&one.emoji), one.people.len())).collect();
        let given = (!given.is_empty()).then(|| self.quiet(&format!("      {}", given.join("  "))));
        answered.into_iter().chain(lines).chain(given).collect()
    }

    /// What has become of a message that was shown before.
    pub fn change(self, before: &Message, now: &Message, you: &str) -> Vec<String> {
        if now.deleted {
            return vec![self.quiet(&format!("      {} is deleted", gist(before)))];
        }
        if now.body != before.body {
            let mut now = now.clone();
            now.reactions.clear();
            return self.message(&now, None, you);
        }
        let had = |emoji: &str, person: &String| {
            before.reactions.iter().any(|reaction| reaction.emoji == emoji && reaction.people.contains(person))
        };
        let mut lines = Vec::new();
        for reaction in &now.reactions {
            for person in reaction.people.iter().filter(|person| !had(&reaction.emoji, person)) {
                let (person, emoji) = (harmless::line(person), harmless::line(&reaction.emoji));
                lines.push(self.quiet(&format!("      {person} {emoji} {}", gist(now))));
            }
        }
        lines
    }
}

/// Who wrote a message, and how it begins.
fn gist(message: &Message) -> String {
    let first = message.body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut begins: String = harmless::line(first).chars().take(GIST).collect();
    if begins.chars().count() == GIST {
        begins.push('…');
    }
    format!("{}: {begins}", harmless::line(&message.from))
}

/// Whether the terminal knows no commands at all, as within an editor.
pub fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Whether `@you` stands in it, as a word.
fn mentions(body: &str, you: &str) -> bool {
    let (body, name) = (body.to_lowercase(), format!("@{}", you.to_lowercase()));
    body.match_indices(&name).any(|(at, _)| {
        let next = body[at + name.len()..].chars().next();
        !next.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_')
    })
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub const PLAIN: Look = Look { colours: false, offset: UtcOffset::UTC };
    pub const COLOURED: Look = Look { colours: true, offset: UtcOffset::UTC };

    pub fn message(room: &str, seq: i64, from: &str, body: &str) -> Message {
        let at = "2023-11-14T22:13:20.007Z";
        let value = serde_json::json!({"room": room, "seq": seq, "rev": seq, "id": format!("{from}-{seq}"), "from": from,
            "at": at, "body": body});
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_message_is_a_line_for_each_of_its_own() {
        let message = message("lobby", 1, "ann", "one\ntwo");
        assert_eq!(PLAIN.message(&message, None, "bo"), ["22:13 ann: one", "      two"]);
    }

    #[test]
    fn what_a_message_answers_and_what_has_become_of_it_shows() {
        let change = |seq, body: &str, more: serde_json::Value| -> Message {
            let mut value = serde_json::to_value(message("lobby", seq, "ann", body)).unwrap();
            value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value(value).unwrap()
        };
        let given = serde_json::json!({"rev": 9, "reactions": [{"emoji": "👍", "people": ["ben", "cleo"]}]});
        let (tea, given) = (message("lobby", 1, "ann", "\ntea?\nnow"), change(1, "\ntea?\nnow", given));
        let reply = message("lobby", 2, "ben", "yes");
        assert_eq!(PLAIN.message(&reply, Some(&tea), "bo"), ["    ↱ ann: tea?", "22:13 ben: yes"]);
        assert_eq!(PLAIN.message(&given, None, "bo").last().unwrap(), "      👍 2");
        assert_eq!(PLAIN.change(&tea, &given, "bo"), ["      ben 👍 ann: tea?", "      cleo 👍 ann: tea?"]);
        assert_eq!(PLAIN.change(&given, &tea, "bo"), [""; 0]);
        let edited = change(1, "coffee?", serde_json::json!({"edited_at": "2023-11-14T22:14:00.000Z"}));
        assert_eq!(PLAIN.change(&tea, &edited, "bo"), ["22:13 ann: coffee? (edited)"]);
        let gone = change(1, "", serde_json::json!({"deleted": true}));
        assert_eq!(PLAIN.change(&edited, &gone, "bo"), ["      ann: coffee? is deleted"]);
        assert_eq!(PLAIN.message(&gone, None, "bo"), ["22:13 ann: (deleted)"]);
    }

    #[test]
    fn nothing_of_others_reaches_the_terminal_as_a_command() {
        let nasty = "\u{1b}[2J\u{9b}31m\u{7}\r\nben: no\u{202e}";
        let message = message("lobby", 1, &format!("x{nasty}"), nasty);
        for line in PLAIN.message(&message, None, "bo") {
            assert!(!line.chars().any(char::is_control) && !line.contains('\u{202e}'), "{line:?}");
            assert!(!line.starts_with("ben"), "{line:?}");
        }
        // What we paint ourselves begins and ends with the colour.
        for line in COLOURED.message(&message, None, "bo") {
            let ours = line.matches("\u{1b}[2m").count()
                + line.matches("\u{1b}[1;38;5;").count()
                + line.matches("\u{1b}[0m").count();
            assert_eq!(line.matches('\u{1b}').count(), ours, "{line:?}");
        }
    }

    #[test]
    fn a_name_has_one_colour_and_names_have_several() {
        assert_eq!(COLOURED.name("ann"), COLOURED.name("ann"));
        let colours: std::collections::BTreeSet<String> =
            ["ann", "ben", "cleo", "dan", "eve"].iter().map(|name| COLOURED.name(name).replace(name, "")).collect();
        assert!(colours.len() > 2);
        assert_eq!(PLAIN.name("ann"), "ann");
    }

    #[test]
    fn who_is_spoken_to_sees_it() {
        assert!(mentions("hi @Ann!", "ann") && mentions("@ann", "ann") && mentions("@anna, @ann", "ann"));
        assert!(!mentions("@anna", "ann") && !mentions("ann", "ann"));
        let message = message("lobby", 1, "ben", "hi @ann");
        assert!(COLOURED.message(&message, None, "ann")[0].ends_with("\u{1b}[1mhi @ann\u{1b}[0m"));
    }

    #[test]
    fn days_are_written_out() {
        let message = message("lobby", 1, "ben", "");
        assert_eq!(PLAIN.between_days(PLAIN.day(message.at)), "── Tuesday 14 November 2023 ──");
    }
}
