//! Where the prompt and the line that is being written stand on the screen. Pure.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Rows, and the cursor in them.
#[derive(Debug, PartialEq)]
pub struct Layout {
    /// As many as the window holds, with the cursor among them.
    pub rows: Vec<String>,
    /// How many rows above these do not fit; the prompt is on the first of all.
    pub hidden: usize,
    pub row: usize,
    pub column: usize,
}

/// Breaks `prompt` (of which only the width counts) and `text` into rows for a window of columns and rows; `cursor` is a
/// byte of `text`. The prompt has to fit into a row.
pub fn lay_out(prompt: &str, text: &str, cursor: usize, (columns, height): (usize, usize)) -> Layout {
    let columns = columns.max(4);
    let mut rows = vec![String::new()];
    let mut used = prompt.width().min(columns - 1);
    let mut at = 0;
    let mut place = None;
    for grapheme in text.graphemes(true) {
        let shown = shown(grapheme);
        let width = shown.width();
        if used + width > columns {
            rows.push(String::new());
            used = 0;
        }
        if at >= cursor && place.is_none() {
            place = Some((rows.len() - 1, used));
        }
        if let Some(row) = rows.last_mut() {
            row.push_str(&shown);
        }
        used += width;
        at += grapheme.len();
    }
    // A cursor behind a full row stands at the start of the next.
    if used >= columns {
        rows.push(String::new());
        used = 0;
    }
    let (row, column) = place.unwrap_or((rows.len() - 1, used));
    let hidden = (row + 1).saturating_sub(height.max(1));
    let rows: Vec<String> = rows.into_iter().skip(hidden).take(height.max(1)).collect();
    Layout { rows, hidden, row: row - hidden, column }
}

/// A grapheme on one line.
fn shown(grapheme: &str) -> String {
    match grapheme {
        "\n" | "\r\n" => "⏎".into(),
        other => super::harmless::line(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, cursor: usize) -> (Vec<String>, usize, usize) {
        let layout = lay_out("> ", text, cursor, (10, 24));
        (layout.rows, layout.row, layout.column)
    }

    #[test]
    fn the_cursor_is_where_the_next_character_will_stand() {
        assert_eq!(rows("", 0), (vec!["".into()], 0, 2));
        assert_eq!(rows("abc", 1), (vec!["abc".into()], 0, 3));
        assert_eq!(rows("abcdefgh", 8), (vec!["abcdefgh".into(), "".into()], 1, 0));
        assert_eq!(rows("abcdefghij", 8), (vec!["abcdefgh".into(), "ij".into()], 1, 0));
        assert_eq!(rows("abcdefghij", 7), (vec!["abcdefgh".into(), "ij".into()], 0, 9));
        assert_eq!(rows("abcdefghij", 10), (vec!["abcdefgh".into(), "ij".into()], 1, 2));
    }

    #[test]
    fn a_wide_character_is_not_cut_in_two() {
        assert_eq!(rows("世界世界", 12), (vec!["世界世界".into(), "".into()], 1, 0));
        assert_eq!(rows("a世界世界", 13), (vec!["a世界世".into(), "界".into()], 1, 2));
        assert_eq!(rows("a世界世界", 10), (vec!["a世界世".into(), "界".into()], 1, 0));
    }

    #[test]
    fn line_ends_and_control_characters_take_one_place() {
        assert_eq!(rows("a\nb\u{1b}c", 2), (vec!["a⏎b␛c".into()], 0, 4));
    }

    #[test]
    fn of_a_text_that_is_higher_than_the_window_the_part_with_the_cursor_is_shown() {
        let text = "a".repeat(8) + &"b".repeat(10) + &"c".repeat(10) + "d";
        let shown = |cursor| lay_out("> ", &text, cursor, (10, 2));
        assert_eq!((shown(0).hidden, shown(0).rows.len(), shown(0).row), (0, 2, 0));
        let end = shown(text.len());
        assert_eq!((end.hidden, end.rows, end.row, end.column), (2, vec!["c".repeat(10), "d".into()], 1, 1));
    }
}
