//! The line that is being written: text, a cursor, what was written before. Pure.

use super::keys::Key;
use unicode_segmentation::UnicodeSegmentation;

/// How many lines can be brought back.
const REMEMBERED: usize = 200;
/// No message is longer by default; more than this in one line is a mistake.
const LONGEST: usize = 64 * 1024;

/// What a key leads to, beside a change of the line.
#[derive(Debug, PartialEq)]
pub enum Action {
    /// The line as it now stands is to be shown.
    Show,
    /// The line was finished with Enter.
    Line(String),
    /// Tab: the text before the cursor is to be completed.
    Complete,
    Redraw,
    Suspend,
    /// Ctrl-C with nothing written; Ctrl-D with nothing written.
    Interrupt,
    Over,
}

#[derive(Default)]
pub struct Editor {
    text: String,
    /// A byte index, always between two graphemes.
    cursor: usize,
    cut: String,
    past: Vec<String>,
    /// While an older line is shown: which, and what was being written.
    shown: Option<usize>,
    draft: String,
}

impl Editor {
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn cursor(&self) -> usize {
        self.cursor
    }

    pub fn press(&mut self, key: Key) -> Action {
        match key {
            Key::Char(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            Key::Paste(text) => self.insert(&text),
            Key::LineBreak => self.insert("\n"),
            Key::Enter => return Action::Line(self.finish()),
            Key::Tab => return Action::Complete,
            Key::Backspace => self.remove(self.left(), self.cursor),
            Key::Delete => self.remove(self.cursor, self.right()),
            Key::Left => self.cursor = self.left(),
            Key::Right => self.cursor = self.right(),
            Key::WordLeft => self.cursor = self.word_left(),
            Key::WordRight => self.cursor = self.word_right(),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = self.text.len(),
            Key::Up => self.older(),
            Key::Down => self.newer(),
            Key::CutWordLeft => self.take(self.word_left(), self.cursor),
            Key::CutWordRight => self.take(self.cursor, self.word_right()),
            Key::CutLeft => self.take(0, self.cursor),
            Key::CutRight => self.take(self.cursor, self.text.len()),
            Key::PutBack => self.insert(&self.cut.clone()),
            Key::Redraw => return Action::Redraw,
            Key::Suspend => return Action::Suspend,
            Key::Interrupt if self.text.is_empty() => return Action::Interrupt,
            Key::Interrupt => self.set(String::new()),
            Key::Over if self.text.is_empty() => return Action::Over,
            Key::Over => self.remove(self.cursor, self.right()),
        }
        Action::Show
    }

    /// Puts `text` in the place of the last `length` bytes before the cursor.
    pub fn replace(&mut self, length: usize, text: &str) {
        self.remove(self.cursor - length, self.cursor);
        self.insert(text);
    }

    fn insert(&mut self, text: &str) {
        if self.text.len() + text.len() <= LONGEST {
            self.text.insert_str(self.cursor, text);
            self.cursor += text.len();
            // What was inserted may have become one with what follows.
            let edge = self.edges().find(|edge| *edge >= self.cursor);
            self.cursor = edge.unwrap_or(self.text.len());
        }
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
    }

    fn take(&mut self, from: usize, to: usize) {
        if from < to {
            self.cut = self.text[from..to].to_owned();
        }
        self.remove(from, to);
    }

    fn set(&mut self, text: String) {
        self.cursor = text.len();
        self.text = text;
        self.shown = None;
    }

    fn finish(&mut self) -> String {
        let line = std::mem::take(&mut self.text);
        self.set(String::new());
        if !line.trim().is_empty() && self.past.last() != Some(&line) {
            self.past.push(line.clone());
        }
        if self.past.len() > REMEMBERED {
            self.past.remove(0);
        }
        line
    }

    fn older(&mut self) {
        let Some(next) = self.shown.unwrap_or(self.past.len()).checked_sub(1) else { return };
        if self.shown.is_none() {
            self.draft = std::mem::take(&mut self.text);
        }
        self.set(self.past[next].clone());
        self.shown = Some(next);
    }

    fn newer(&mut self) {
        let Some(next) = self.shown.map(|shown| shown + 1) else { return };
        match self.past.get(next).cloned() {
            Some(line) => {
                self.set(line);
                self.shown = Some(next);
            }
            None => {
                let draft = std::mem::take(&mut self.draft);
                self.set(draft);
            }
        }
    }

    /// Where one grapheme ends and the next begins.
    fn edges(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.text.grapheme_indices(true).map(|(at, _)| at).chain([self.text.len()])
    }

    fn left(&self) -> usize {
        self.edges().rev().find(|edge| *edge < self.cursor).unwrap_or(0)
    }

    fn right(&self) -> usize {
        self.edges().find(|edge| *edge > self.cursor).unwrap_or(self.text.len())
    }

    fn word_left(&self) -> usize {
        let words = self.text.unicode_word_indices().map(|(at, _)| at);
        words.take_while(|at| *at < self.cursor).last().unwrap_or(0)
    }

    fn word_right(&self) -> usize {
        let ends = self.text.unicode_word_indices().map(|(at, word)| at + word.len());
        ends.into_iter().find(|end| *end > self.cursor).unwrap_or(self.text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(editor: &mut Editor, keys: &[Key]) {
        for key in keys {
            assert_eq!(editor.press(key.clone()), Action::Show, "{key:?}");
        }
    }

    fn with(text: &str) -> Editor {
        let mut editor = Editor::default();
        press(&mut editor, &[Key::Paste(text.into())]);
        editor
    }

    #[test]
    fn the_cursor_moves_by_what_a_person_sees_as_a_character() {
        let mut editor = with("e\u{301}👩\u{200d}👧界");
        let mut stops = vec![editor.cursor()];
        for _ in 0..4 {
            press(&mut editor, &[Key::Left]);
            stops.push(editor.cursor());
        }
        assert_eq!(stops, [17, 14, 3, 0, 0]);
        press(&mut editor, &[Key::Delete, Key::End, Key::Backspace, Key::Backspace]);
        assert_eq!(editor.text(), "");
    }

    #[test]
    fn words_are_cut_and_put_back() {
        let mut editor = with("one two, three");
        press(&mut editor, &[Key::CutWordLeft, Key::WordLeft, Key::WordLeft, Key::PutBack]);
        assert_eq!((editor.text(), editor.cursor()), ("threeone two, ", 5));
        press(&mut editor, &[Key::CutRight]);
        assert_eq!(editor.text(), "three");
        press(&mut editor, &[Key::Home, Key::CutWordRight, Key::CutLeft, Key::PutBack]);
        assert_eq!(editor.text(), "three");
    }

    #[test]
    fn what_was_written_comes_back_and_the_draft_is_not_lost() {
        let mut editor = with("first");
        assert_eq!(editor.press(Key::Enter), Action::Line("first".into()));
        press(&mut editor, &[Key::Paste("second".into())]);
        assert_eq!(editor.press(Key::Enter), Action::Line("second".into()));
        press(&mut editor, &[Key::Paste("draft".into()), Key::Up, Key::Up, Key::Up]);
        assert_eq!(editor.text(), "first");
        press(&mut editor, &[Key::Down]);
        assert_eq!(editor.text(), "second");
        press(&mut editor, &[Key::Down, Key::Down]);
        assert_eq!(editor.text(), "draft");
        assert_eq!(editor.press(Key::Interrupt), Action::Show, "the first Ctrl-C takes back what was written");
        assert_eq!(editor.press(Key::Interrupt), Action::Interrupt);
        assert_eq!(editor.press(Key::Over), Action::Over);
    }

    #[test]
    fn a_completion_stands_in_the_place_of_what_it_completes() {
        let mut editor = with("hi @be, you");
        for _ in 0..5 {
            press(&mut editor, &[Key::Left]);
        }
        editor.replace(3, "@ben");
        assert_eq!((editor.text(), editor.cursor()), ("hi @ben, you", 7));
    }
}
