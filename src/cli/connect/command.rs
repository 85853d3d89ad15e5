//! What a person writes: a message, or a command that begins with a slash.

/// A line that was written.
#[derive(Debug, PartialEq)]
pub enum Command {
    Say(String),
    Join(String),
    Leave(Option<String>),
    Create {
        room: String,
        title: String,
    },
    Rooms,
    Who,
    History(usize),
    Help,
    Quit,
    /// Not understood, and why.
    Wrong(String),
}

/// Commands, what they take, and what they do.
pub const COMMANDS: [(&str, &str, &str); 8] = [
    ("/join", "ROOM", "go to a room; the others stay open"),
    ("/leave", "[ROOM]", "leave a room, this one if none is named"),
    ("/rooms", "", "all rooms, and what is unread in them"),
    ("/who", "", "who is here"),
    ("/history", "[N]", "the messages before those shown, 20 if no number"),
    ("/create", "ROOM [TITLE]", "make a room and go there"),
    ("/help", "", "this"),
    ("/quit", "", "leave; Ctrl-D too"),
];

/// How many older messages come when no number is given.
const OLDER: usize = 20;
const MOST: usize = 200;

/// Nothing for an empty line.
pub fn parse(line: &str) -> Option<Command> {
    let line = line.trim_end();
    if line.trim().is_empty() {
        return None;
    }
    if let Some(text) = line.strip_prefix("//") {
        return Some(Command::Say(format!("/{text}")));
    }
    if !line.starts_with('/') {
        return Some(Command::Say(line.to_owned()));
    }
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let (first, second) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let room = first.strip_prefix('#').unwrap_or(first).to_owned();
    let too_much = |wanted: &str| Command::Wrong(format!("{word} takes {wanted}"));
    Some(match word {
        "/join" | "/j" if !room.is_empty() && second.is_empty() => Command::Join(room),
        "/join" | "/j" => too_much("the name of a room"),
        "/leave" | "/part" if second.is_empty() => Command::Leave(Some(room).filter(|room| !room.is_empty())),
        "/leave" | "/part" => too_much("the name of a room, or nothing"),
        "/create" if !room.is_empty() => Command::Create { room, title: second.trim().to_owned() },
        "/create" => too_much("the name of a room, and a title if you like"),
        "/history" if rest.is_empty() => Command::History(OLDER),
        "/history" => match rest.parse() {
            Ok(count) if (1..=MOST).contains(&count) => Command::History(count),
            _ => too_much("a number from 1 to 200"),
        },
        "/rooms" => Command::Rooms,
        "/who" => Command::Who,
        "/help" | "/?" => Command::Help,
        "/quit" | "/exit" | "/q" => Command::Quit,
        _ => Command::Wrong(format!("there is no {word}; /help tells what there is, and //… says it to the others")),
    })
}

/// The help, a command a line.
pub fn help() -> Vec<String> {
    let mut lines: Vec<String> = COMMANDS
        .iter()
        .map(|(name, takes, does)| format!("  {:<22}{does}", format!("{name} {takes}").trim_end()))
        .collect();
    lines.push("  anything else is said in this room; Tab completes, Alt-Enter begins a new line".into());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_message_unless_it_begins_with_a_slash() {
        assert_eq!(parse("  hello  "), Some(Command::Say("  hello".into())));
        assert_eq!(parse("//etc/hosts"), Some(Command::Say("/etc/hosts".into())));
        assert_eq!(parse(" \t"), None);
    }

    #[test]
    fn commands_take_what_the_help_says() {
        let room = |name: &str| name.to_owned();
        assert_eq!(parse("/join #garden"), Some(Command::Join(room("garden"))));
        assert_eq!(parse("/leave"), Some(Command::Leave(None)));
        assert_eq!(parse("/leave garden "), Some(Command::Leave(Some(room("garden")))));
        let made = Command::Create { room: room("ops"), title: "All that runs".into() };
        assert_eq!(parse("/create ops  All that runs"), Some(made));
        assert_eq!(parse("/history"), Some(Command::History(20)));
        assert_eq!(parse("/history 5"), Some(Command::History(5)));
        for wrong in ["/join", "/join a b", "/create", "/history 0", "/history x", "/nope", "/"] {
            assert!(matches!(parse(wrong), Some(Command::Wrong(_))), "{wrong}");
        }
        for (name, takes, _) in COMMANDS {
            let example = format!("{name} {}", if takes.starts_with("ROOM") { "x" } else { "" });
            assert!(!matches!(parse(&example), None | Some(Command::Wrong(_) | Command::Say(_))), "{example}");
            assert!(help().iter().any(|line| line.trim_start().starts_with(name)));
        }
    }
}
