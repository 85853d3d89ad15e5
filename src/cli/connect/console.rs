//! A person at a terminal: the screen, the line that is being written, the keys.

use super::completion::Completion;
use super::editor::{Action, Editor};
use super::failure::Failure;
use super::harmless;
use super::keys::{Key, Keys};
use super::look::Look;
use super::screen::Screen;
use std::collections::VecDeque;

pub struct Console {
    screen: Screen,
    editor: Editor,
    keys: Keys,
    waiting: VecDeque<Key>,
    look: Look,
}

/// What a person asks of the program with keys.
pub enum Asked {
    /// A line was finished.
    Line(String),
    /// To complete what stands before the cursor.
    Completion(String),
    /// Ctrl-C with nothing written.
    Interrupt,
    /// Ctrl-D with nothing written.
    Over,
}

impl Console {
    /// Takes the terminal; it is given back when this is dropped.
    pub fn take(look: Look) -> Result<Console, Failure> {
        let screen = Screen::take().map_err(|e| Failure::Lost(format!("the terminal cannot be used: {e}")))?;
        Ok(Console { screen, editor: Editor::default(), keys: Keys::default(), waiting: VecDeque::new(), look })
    }

    /// Takes bytes of the keyboard.
    pub fn typed(&mut self, bytes: &[u8]) {
        self.waiting.extend(self.keys.feed(bytes));
    }

    /// Does what the keys say, up to one that asks for something: what it leads to comes before the next key.
    pub fn asked(&mut self) -> Option<Asked> {
        while let Some(key) = self.waiting.pop_front() {
            let action = self.editor.press(key);
            self.screen.line(self.editor.text(), self.editor.cursor());
            match action {
                Action::Show => {}
                Action::Line(line) => return Some(Asked::Line(line)),
                Action::Complete => {
                    return Some(Asked::Completion(self.editor.text()[..self.editor.cursor()].to_owned()));
                }
                Action::Redraw => self.screen.clear(),
                // A terminal that cannot be taken again shows in what is read from it.
                Action::Suspend => drop(self.screen.suspend()),
                Action::Interrupt => return Some(Asked::Interrupt),
                Action::Over => return Some(Asked::Over),
            }
        }
        None
    }

    /// Puts a completion in its place, or shows what is possible.
    pub fn complete(&mut self, completion: Option<Completion>) {
        let Some(Completion { length, text, choice }) = completion else { return };
        self.editor.replace(length, &text);
        if !choice.is_empty() {
            self.screen.print(&[self.look.quiet(&harmless::line(&choice.join("  ")))]);
        }
        self.screen.line(self.editor.text(), self.editor.cursor());
    }

    /// Shows lines above the one that is being written.
    pub fn print(&mut self, lines: &[String]) {
        if !lines.is_empty() {
            self.screen.print(lines);
        }
    }

    /// What stands before the line that is being written: plain, and with colours.
    pub fn prompt(&mut self, (plain, styled): (String, String)) {
        self.screen.prompt(&plain, &styled);
    }

    /// The window has changed.
    pub fn resized(&mut self) {
        self.screen.draw();
    }

    /// Whether something is being written.
    pub fn is_writing(&self) -> bool {
        !self.editor.text().is_empty()
    }
}
