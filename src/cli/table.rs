//! Columns for people: as wide as what stands in them, two spaces between.

use time::OffsetDateTime;
use time::macros::format_description;
use unicode_width::UnicodeWidthStr;

/// The rows under their heads.
pub fn of(heads: &[&str], rows: &[Vec<String>]) -> String {
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&heads).chain(rows).collect();
    let width = |column: usize| all.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let mut text = String::new();
    for row in all {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width - cell.width() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A time as it stands in a list.
pub fn minute(at: std::time::SystemTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]");
    OffsetDateTime::from(at).format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other_however_wide_their_signs_are() {
        let rows = [vec!["日本".to_owned(), "owner".to_owned()], vec!["ann".to_owned(), "member".to_owned()]];
        assert_eq!(of(&["NAME", "ROLE"], &rows), "NAME  ROLE\n日本  owner\nann   member\n");
    }
}
