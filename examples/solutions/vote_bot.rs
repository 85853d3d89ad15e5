use parlor::{Client, Start};
use std::collections::BTreeMap;

pub fn vote_bot(bot: &Client) {
    let mut votes = BTreeMap::new(); // who has voted for what
    let _ = bot.join("lobby", Start::Last(0)); // if it is over, there are no messages either
    for message in bot.messages() {
        if let Some(choice) = message.body.strip_prefix("!vote ") {
            votes.insert(message.from, choice.to_owned());
        } else if message.body == "!result" {
            let mut counts = BTreeMap::new();
            votes.values().for_each(|choice| *counts.entry(choice).or_insert(0) += 1);
            let counts: Vec<String> = counts.iter().map(|(choice, count)| format!("{choice} {count}")).collect();
            let answer = if counts.is_empty() { "no votes yet".into() } else { counts.join(", ") };
            let _ = bot.send("lobby", &answer);
        }
    }
}
