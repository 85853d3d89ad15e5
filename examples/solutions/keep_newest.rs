use std::collections::VecDeque;

pub fn keep_newest(queue: &mut VecDeque<String>, limit: usize, message: String) -> usize {
    if message.len() > limit {
        return 1;
    }
    queue.push_back(message);
    let mut bytes: usize = queue.iter().map(String::len).sum();
    let mut dropped = 0;
    while bytes > limit
        && let Some(oldest) = queue.pop_front()
    {
        bytes -= oldest.len();
        dropped += 1;
    }
    dropped
}
