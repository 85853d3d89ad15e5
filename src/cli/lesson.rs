//! A lesson as a page: one file with everything in it, to be opened in any browser.

use parlor::Message;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

const STYLE: &str = include_str!("lesson.css");

/// Times are shown as the reader's clock shows them.
const SCRIPT: &str = "for (const t of document.querySelectorAll('time')) { const at = new Date(t.dateTime); \
    t.textContent = t.dataset.is === 'day' ? at.toLocaleDateString([], {dateStyle: 'long'}) : \
    at.toLocaleTimeString([], {timeStyle: 'short'}); }";

/// Writes the page into the current folder, beside those of other lessons, and gives its path; or, where that is not
/// possible, to where the system keeps what is temporary.
pub fn write(rooms: &[(String, Vec<Message>)], pupils: &[String]) -> io::Result<PathBuf> {
    let page = page(rooms, pupils);
    write_into(".".as_ref(), &page).or_else(|why| {
        eprintln!("parlor: the lesson cannot be written here: {why}");
        write_into(&std::env::temp_dir(), &page)
    })
}

fn write_into(folder: &Path, page: &str) -> io::Result<PathBuf> {
    let day =
        OffsetDateTime::now_utc().format(format_description!("[year]-[month]-[day]")).map_err(io::Error::other)?;
    for count in 1.. {
        let nth = if count == 1 { String::new() } else { format!("-{count}") };
        let path = std::path::absolute(folder.join(format!("parlor-lesson-{day}{nth}.html")))?;
        match File::create_new(&path) {
            Ok(mut file) => return file.write_all(page.as_bytes()).and_then(|()| file.sync_all()).map(|()| path),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && count < 1000 => {}
            Err(e) => return Err(io::Error::new(e.kind(), format!("{}: {e}", path.display()))),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn page(rooms: &[(String, Vec<Message>)], pupils: &[String]) -> String {
    let begin = rooms.iter().flat_map(|(_, messages)| messages).map(|message| message.at).min();
    let begin = stamp(begin.unwrap_or_else(std::time::SystemTime::now));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Lesson of {day}</title>\n<style>\n{STYLE}</style>\n<h1>Lesson of <time datetime=\"{begin}\" data-is=\"day\">{day}</time></h1>\n",
        day = &begin[..10],
    );
    if !pupils.is_empty() {
        let _ = writeln!(page, "<p class=\"who\">{} here: {}</p>", pupils.len(), escaped(&pupils.join(", ")));
    }
    for (title, messages) in rooms.iter().filter(|(_, messages)| !messages.is_empty()) {
        let _ = writeln!(page, "<h2>{}</h2>\n<ol>", escaped(title));
        for message in messages {
            let (at, from, body) = (stamp(message.at), escaped(&message.from), escaped(&message.body));
            let time = &at[11..16];
            let _ = writeln!(page, "<li><b>{from}</b> <time datetime=\"{at}\">{time}</time><p>{body}</p></li>");
        }
        page.push_str("</ol>\n");
    }
    let _ = writeln!(page, "<script>{SCRIPT}</script>");
    page
}

fn stamp(at: std::time::SystemTime) -> String {
    // Whole seconds are enough for a page.
    let at = OffsetDateTime::from(at).replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(&Rfc3339).unwrap_or_else(|_| "1970-01-01T00:00:00Z".into())
}

/// Text that is nothing but text to a browser.
pub fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut safe, c| {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c => safe.push(c),
        }
        safe
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_text_and_nothing_else() {
        let message = r#"{"room":"lobby","seq":1,"rev":1,"id":"x","from":"a<b>","at":"2026-11-23T09:10:11.000Z","body":"<script>alert(\"1\")</script>"}"#;
        let rooms = [("Lobby".to_owned(), vec![serde_json::from_str(message).unwrap()]), ("Empty".to_owned(), vec![])];
        let page = page(&rooms, &["a<b>".to_owned()]);
        assert!(
            page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;") && page.contains("<b>a&lt;b&gt;</b>")
        );
        assert!(page.contains("Lesson of 2026-11-23") && page.contains(">09:10</time>") && !page.contains("Empty"));
        assert_eq!(page.matches("<script").count(), 1);
    }
}
