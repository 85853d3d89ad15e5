pub fn resume(epoch: &str, kept: &[(u64, &str)], seen: Option<(&str, u64)>) -> Vec<String> {
    let mut frames = Vec::new();
    let oldest = kept.first().map_or(0, |(number, _)| *number);
    let since = match seen {
        Some((theirs, number)) if theirs == epoch => number,
        _ => {
            frames.push(format!("epoch {epoch}"));
            if seen.is_some() { 0 } else { oldest.saturating_sub(1) }
        }
    };
    if since + 1 < oldest {
        frames.push(format!("missed {}", oldest - 1 - since));
    }
    frames.extend(kept.iter().filter(|(number, _)| *number > since).map(|(number, text)| format!("{number} {text}")));
    frames
}
