//! A room as a page: one file with everything in it, and no script. Pure: lines in, HTML out.

use super::super::lesson::escaped;
use parlor::{Message, RoomDetails, TranscriptLine};
use std::collections::HashMap;
use std::fmt::Write;
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::macros::format_description;

const STYLE: &str = include_str!("page.css");

/// What somebody says so soon after they spoke last, stands under the same name.
const SAME_BREATH: Duration = Duration::from_secs(5 * 60);

/// So much of a message is shown where another replies to it, in characters.
const QUOTED: usize = 90;

/// What ends a link rather than belonging to it.
const AFTER_A_LINK: &[char] = &['.', ',', ';', ':', '!', '?', '\'', '*', '_', '~', ')', ']', '}'];

/// A page that is being written.
#[derive(Default)]
pub struct Page {
    day: String,
    last: Option<(String, SystemTime)>,
    /// Who said what, in short, by number.
    said: HashMap<i64, (String, String)>,
    list_is_open: bool,
}

impl Page {
    /// The next part of it.
    pub fn take(&mut self, line: &TranscriptLine) -> String {
        match line {
            TranscriptLine::Room { room, messages, .. } => head(room, *messages),
            TranscriptLine::Message(message) => self.message(message),
            // What a later version may add is not for this page.
            _ => String::new(),
        }
    }

    /// The last part.
    pub fn end(&self) -> String {
        let list = if self.list_is_open { "</ol>\n" } else { "" };
        format!("{list}<footer>Times are UTC. Written by Parlor.</footer>\n</main>\n</html>\n")
    }

    fn message(&mut self, message: &Message) -> String {
        let mut html = String::new();
        let at = OffsetDateTime::from(message.at);
        let day = at.format(format_description!("[year]-[month]-[day]")).unwrap_or_default();
        if day != self.day {
            if std::mem::replace(&mut self.list_is_open, true) {
                html.push_str("</ol>\n");
            }
            let long = at.format(format_description!("[weekday], [day padding:none] [month repr:long] [year]"));
            let _ = writeln!(html, "<h2><time datetime=\"{day}\">{}</time></h2>\n<ol>", long.unwrap_or_default());
            self.day = day;
            self.last = None;
        }
        let goes_on = message.reply_to.is_none()
            && self.last.as_ref().is_some_and(|(from, before)| {
                *from == message.from && message.at.duration_since(*before).unwrap_or_default() < SAME_BREATH
            });
        self.last = Some((message.from.clone(), message.at));
        let _ = write!(html, "<li id=\"m{}\"{}>", message.seq, if goes_on { " class=\"on\"" } else { "" });
        let stamp = at.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"));
        let short = at.format(format_description!("[hour]:[minute]")).unwrap_or_default();
        let time = format!(
            "<a class=\"at\" href=\"#m{}\"><time datetime=\"{}\">{short}</time></a>",
            message.seq,
            stamp.unwrap_or_default()
        );
        let from = escaped(&message.from);
        if goes_on {
            html.push_str(&time);
        } else {
            let hue = hue(&message.from);
            let _ = write!(html, "<b style=\"--hue:{hue}\">{from}</b> {time}");
        }
        html.push_str(&self.reply(message));
        if message.deleted {
            html.push_str("<p class=\"gone\">This message was deleted.</p>");
        } else {
            let edited = if message.edited_at.is_some() { " <small>edited</small>" } else { "" };
            let _ = write!(html, "<p>{}{edited}</p>", body(&message.body));
        }
        html.push_str(&reactions(message));
        html.push_str("</li>\n");
        self.said.insert(message.seq, (message.from.clone(), in_short(message)));
        html
    }

    fn reply(&self, message: &Message) -> String {
        let Some((seq, (from, text))) = message.reply_to.and_then(|seq| Some((seq, self.said.get(&seq)?))) else {
            return String::new();
        };
        format!("<a class=\"reply\" href=\"#m{seq}\"><b>{}</b> {}</a>", escaped(from), escaped(text))
    }
}

fn head(room: &RoomDetails, messages: u64) -> String {
    let title = escaped(&room.title);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n<main>\n<header>\n<h1>{title}</h1>\n"
    );
    if !room.topic.is_empty() {
        let _ = writeln!(html, "<p>{}</p>", body(&room.topic));
    }
    let count = if messages == 1 { "1 message".into() } else { format!("{messages} messages") };
    let mut about = vec![count];
    match room.kind.as_str() {
        "public" => {}
        "private" => about.push(format!("private, of {}", escaped(&room.members.join(", ")))),
        kind => about.push(escaped(kind)),
    }
    if room.archived {
        about.push("archived".into());
    }
    let _ = writeln!(html, "<p class=\"about\">{}</p>\n</header>", about.join(" · "));
    if messages == 0 {
        html.push_str("<p class=\"about\">Nothing was said here.</p>\n");
    }
    html
}

fn reactions(message: &Message) -> String {
    if message.reactions.is_empty() {
        return String::new();
    }
    let mut html = "<ul>".to_owned();
    for reaction in &message.reactions {
        let (emoji, people) = (escaped(&reaction.emoji), escaped(&reaction.people.join(", ")));
        let _ = write!(html, "<li title=\"{people}\">{emoji} {}</li>", reaction.people.len());
    }
    html + "</ul>"
}

/// Text that is nothing but text to a browser, but for its links.
fn body(text: &str) -> String {
    let mut html = String::new();
    let mut rest = text;
    while let Some(at) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let end =
            rest[at..].find(|c: char| c.is_whitespace() || "<>\"`".contains(c)).map_or(rest.len(), |end| at + end);
        let link = rest[at..end].trim_end_matches(AFTER_A_LINK);
        html.push_str(&escaped(&rest[..at]));
        let safe = escaped(link);
        let _ = write!(html, "<a href=\"{safe}\" rel=\"noreferrer\">{safe}</a>");
        rest = &rest[at + link.len()..];
        if link.is_empty() {
            break;
        }
    }
    html + &escaped(rest)
}

fn in_short(message: &Message) -> String {
    if message.deleted {
        return "a message that was deleted".into();
    }
    let words = message.body.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", words[..end].trim_end()),
        None => words,
    }
}

/// A colour for a name, always the same.
fn hue(name: &str) -> u32 {
    name.bytes().fold(5381_u32, |hash, byte| hash.wrapping_mul(33) ^ u32::from(byte)) % 360
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(json: &str) -> TranscriptLine {
        serde_json::from_str(json).unwrap()
    }

    fn page(lines: &[&str]) -> String {
        let mut page = Page::default();
        let body: String = lines.iter().map(|json| page.take(&line(json))).collect();
        body + &page.end()
    }

    const ROOM: &str =
        r#"{"type":"room","version":1,"messages":9,"room":"lobby","title":"<i>Hall</i>","kind":"public","head":9}"#;

    #[test]
    fn what_was_written_is_text_and_links_are_links() {
        let html = page(&[
            ROOM,
            r#"{"type":"message","room":"lobby","seq":1,"rev":1,"id":"x","from":"a<b>","at":"2026-11-23T09:10:11.000Z","body":"<script>x</script> see (https://example.org/?a=1&b=\"2)."}"#,
        ]);
        assert!(html.contains("&lt;script&gt;") && html.contains(">a&lt;b&gt;</b>") && html.contains("&lt;i&gt;Hall"));
        assert!(html.contains(r#"<a href="https://example.org/?a=1&amp;b=" rel="noreferrer">"#), "{html}");
        assert!(!html.contains("<script") && !html.contains("<i>"), "{html}");
    }

    #[test]
    fn a_day_a_person_a_reply_and_what_became_of_a_message_are_seen() {
        let html = page(&[
            ROOM,
            r#"{"type":"message","room":"lobby","seq":1,"rev":5,"id":"1","from":"ann","at":"2026-11-23T09:10:11.000Z","body":"one","edited_at":"2026-11-23T09:10:12.000Z","reactions":[{"emoji":"👍","people":["bob","eve"]}]}"#,
            r#"{"type":"message","room":"lobby","seq":2,"rev":2,"id":"2","from":"ann","at":"2026-11-23T09:11:00.000Z","body":"two"}"#,
            r#"{"type":"message","room":"lobby","seq":3,"rev":4,"id":"3","from":"ann","at":"2026-11-24T09:11:00.000Z","body":"","deleted":true}"#,
            r#"{"type":"message","room":"lobby","seq":6,"rev":6,"id":"4","from":"bob","at":"2026-11-24T09:12:00.000Z","body":"why?","reply_to":1}"#,
        ]);
        assert_eq!(html.matches("<h2>").count(), 2, "{html}");
        assert!(html.contains("Monday, 23 November 2026") && html.contains("Tuesday, 24 November 2026"), "{html}");
        assert_eq!((html.matches("class=\"on\"").count(), html.matches(">ann</b>").count()), (1, 3), "{html}");
        assert!(html.contains(r#"<li title="bob, eve">👍 2</li>"#) && html.contains("<small>edited</small>"), "{html}");
        assert!(
            html.contains("This message was deleted.") && html.contains("href=\"#m1\"><b>ann</b> one</a>"),
            "{html}"
        );
        assert_eq!(html.matches("<ol>").count(), html.matches("</ol>").count());
    }
}
