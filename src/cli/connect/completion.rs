//! What Tab makes of the text before the cursor. Pure.

use super::command::COMMANDS;

/// What could stand in the place of the last bytes before the cursor.
#[derive(Debug, PartialEq)]
pub struct Completion {
    /// How many bytes it takes the place of.
    pub length: usize,
    /// What is put there: as much as is certain.
    pub text: String,
    /// If more than one is possible: all of them.
    pub choice: Vec<String>,
}

/// Commands at the start of the line, rooms behind `/join`, `/leave` and `#`, people behind `@`.
pub fn complete(before: &str, people: &[&str], rooms: &[&str]) -> Option<Completion> {
    if before.starts_with('/') && !before.contains(' ') {
        return of(before, "", COMMANDS.iter().map(|(name, ..)| *name));
    }
    if let Some(start) = ["/join ", "/leave "].iter().find_map(|command| before.strip_prefix(command)) {
        return of(start, "", rooms.iter().copied());
    }
    // A name may have spaces in it: the longest beginning that fits counts.
    let starts = before.char_indices().filter(|(at, c)| {
        matches!(c, '@' | '#') && before[..*at].chars().next_back().is_none_or(|c| !c.is_alphanumeric())
    });
    let mut found = starts.filter_map(|(at, sign)| {
        let (names, sign) = if sign == '@' { (people, "@") } else { (rooms, "#") };
        of(&before[at + 1..], sign, names.iter().copied())
    });
    found.next()
}

fn of<'a>(start: &str, sign: &str, names: impl Iterator<Item = &'a str>) -> Option<Completion> {
    let lower = start.to_lowercase();
    let names: Vec<&str> = names.filter(|name| name.to_lowercase().starts_with(&lower)).collect();
    let first = *names.first()?;
    if names.len() == 1 {
        return Some(Completion { length: sign.len() + start.len(), text: format!("{sign}{first} "), choice: vec![] });
    }
    let mut shared = first;
    for name in &names {
        let same = shared.chars().zip(name.chars()).take_while(|(a, b)| a.to_lowercase().eq(b.to_lowercase()));
        let same: usize = same.map(|(a, _)| a.len_utf8()).sum();
        shared = &shared[..same];
    }
    // What was written stays if nothing is certain beyond it.
    let text = if shared.chars().count() > start.chars().count() { shared } else { start };
    let choice = names.iter().map(|name| (*name).to_owned()).collect();
    Some(Completion { length: sign.len() + start.len(), text: format!("{sign}{text}"), choice })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: [&str; 4] = ["Ann Lee", "ben", "benno", "cleo"];
    const ROOMS: [&str; 3] = ["garden", "garage", "lobby"];

    fn completed(before: &str) -> Option<(usize, String, usize)> {
        complete(before, &PEOPLE, &ROOMS).map(|done| (done.length, done.text, done.choice.len()))
    }

    #[test]
    fn people_rooms_and_commands_are_completed() {
        assert_eq!(completed("hi @cl"), Some((3, "@cleo ".into(), 0)));
        assert_eq!(completed("@"), Some((1, "@".into(), 4)));
        assert_eq!(completed("@b"), Some((2, "@ben".into(), 2)));
        assert_eq!(completed("@ann l"), Some((6, "@Ann Lee ".into(), 0)));
        assert_eq!(completed("see #l"), Some((2, "#lobby ".into(), 0)));
        assert_eq!(completed("/join g"), Some((1, "gar".into(), 2)));
        assert_eq!(completed("/hi"), Some((3, "/history ".into(), 0)));
        assert_eq!(completed("/he"), Some((3, "/help ".into(), 0)));
    }

    #[test]
    fn what_has_no_completion_stays() {
        for text in ["", "hello", "hi @nobody", "a@b", "/nope", "/join x"] {
            assert_eq!(completed(text), None, "{text}");
        }
    }
}
