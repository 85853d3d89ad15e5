use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

pub fn long_poll(news: &Mutex<Vec<String>>, more: &Condvar, seen: usize, patience: Duration) -> Vec<String> {
    let news = news.lock().unwrap_or_else(PoisonError::into_inner);
    let seen = if seen > news.len() { 0 } else { seen };
    let waited = more.wait_timeout_while(news, patience, |news| news.len() <= seen);
    let (news, _) = waited.unwrap_or_else(PoisonError::into_inner);
    news[seen..].to_vec()
}
