//! A terminal: what happens scrolls by above, the line that is being written stays below.

use super::layout::{Layout, lay_out};
use rustix::io::Errno;
use rustix::termios::{self, OptionalActions, Termios};
use std::io;
use std::os::fd::AsFd;
use unicode_width::UnicodeWidthStr;

/// What a terminal is told: pasted text is to be marked as such, or not.
const MARK_PASTES: &str = "\x1b[?2004h";
const DO_NOT_MARK: &str = "\x1b[?2004l";

/// The prompt of a window that has no room for another.
const NARROW: &str = "> ";

/// A terminal that gives each key at once. It is put right again when this is dropped.
pub struct Screen {
    before: Termios,
    prompt: String,
    styled: String,
    text: String,
    cursor: usize,
    /// What stands below, if anything.
    drawn: bool,
}

impl Screen {
    /// Takes the terminal that is standard input.
    pub fn take() -> io::Result<Screen> {
        let before = termios::tcgetattr(io::stdin())?;
        let text = String::new();
        let mut screen = Screen { before, prompt: text.clone(), styled: text.clone(), text, cursor: 0, drawn: false };
        screen.enter()?;
        Ok(screen)
    }

    fn enter(&mut self) -> io::Result<()> {
        let mut keys = self.before.clone();
        // Line ends are still made whole on the way out: what other programs write there stays readable.
        let output = keys.output_modes;
        keys.make_raw();
        keys.output_modes = output;
        termios::tcsetattr(io::stdin(), OptionalActions::Drain, &keys)?;
        write(MARK_PASTES);
        Ok(())
    }

    fn leave(&mut self) {
        write(&format!("{}{DO_NOT_MARK}", self.erased()));
        self.drawn = false;
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
    }

    /// Gives the terminal back to the shell until this program is called on again (Ctrl-Z, `fg`).
    pub fn suspend(&mut self) -> io::Result<()> {
        self.leave();
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        self.enter()?;
        self.draw();
        Ok(())
    }

    /// What stands before the line that is being written; `styled` is the same with colours.
    pub fn prompt(&mut self, prompt: &str, styled: &str) {
        if self.styled != styled {
            // Where the old one stands is still known.
            let erased = self.erased();
            self.drawn = false;
            (self.prompt, self.styled) = (prompt.into(), styled.into());
            write(&(erased + &self.drawing()));
        }
    }

    /// Shows what is being written.
    pub fn line(&mut self, text: &str, cursor: usize) {
        let erased = self.erased();
        (self.text, self.cursor) = (text.into(), cursor);
        write(&(erased + &self.drawing()));
    }

    /// Writes lines above the one that is being written.
    pub fn print(&mut self, lines: &[String]) {
        let mut all = self.erased();
        for line in lines {
            all.push_str(line);
            all.push('\n');
        }
        all.push_str(&self.drawing());
        write(&all);
    }

    /// Draws anew, after the window has changed.
    pub fn draw(&mut self) {
        let erased = self.erased();
        write(&(erased + &self.drawing()));
    }

    /// Starts with an empty window.
    pub fn clear(&mut self) {
        self.drawn = false;
        write(&format!("\x1b[H\x1b[2J{}", self.drawing()));
    }

    /// Removes what stands below. When the width has changed, the terminal has broken it into rows anew.
    fn erased(&self) -> String {
        if !self.drawn {
            return String::new();
        }
        let above = self.layout().row;
        let up = if above > 0 { format!("\x1b[{above}A") } else { String::new() };
        format!("{up}\r\x1b[J")
    }

    fn drawing(&mut self) -> String {
        self.drawn = true;
        let layout = self.layout();
        let prompt = if layout.hidden > 0 {
            ""
        } else if self.fits() {
            &self.styled
        } else {
            NARROW
        };
        // The terminal breaks the rows itself: so it knows that they belong together when its width changes.
        let mut text = format!("{prompt}{}", layout.rows.concat());
        if layout.rows.len() > 1 && layout.rows.last().is_some_and(String::is_empty) {
            // It stands on the last column until something more is written.
            text.push_str(" \r\x1b[K");
        }
        let up = layout.rows.len() - 1 - layout.row;
        if up > 0 {
            text.push_str(&format!("\x1b[{up}A"));
        }
        text.push('\r');
        if layout.column > 0 {
            text.push_str(&format!("\x1b[{}C", layout.column));
        }
        text
    }

    fn layout(&self) -> Layout {
        let prompt = if self.fits() { &self.prompt } else { NARROW };
        lay_out(prompt, &self.text, self.cursor, size())
    }

    /// Whether the prompt leaves half of the window to the text.
    fn fits(&self) -> bool {
        self.prompt.width() <= size().0 / 2
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Columns and rows of the window.
pub fn size() -> (usize, usize) {
    match termios::tcgetwinsize(io::stdout().as_fd()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => (80, 24),
    }
}

/// In one piece, so that nothing flickers: the standard library would cut it at the last line end. A terminal that is gone
/// shows in what is read from it.
fn write(text: &str) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match rustix::io::write(io::stdout(), rest) {
            Ok(count @ 1..) => rest = &rest[count..],
            Err(Errno::INTR) => {}
            _ => return,
        }
    }
}
