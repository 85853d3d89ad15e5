//! Tokens, bots and webhooks: what holds for every store.

use super::super::people::Role;
use super::super::tokens::NewToken;
use super::super::webhooks::NewWebhook;
use super::*;

fn new_token(byte: u8, label: &str, at: i64) -> NewToken {
    NewToken { token: [byte; 32], label: label.into(), at: Time(at) }
}

fn hook(id: &str, person: PersonId, room: Option<RoomId>) -> NewWebhook {
    let (url, secret) = ("https://example.org/hook".into(), "secret".into());
    NewWebhook { id: id.into(), person, room, url, secret, at: Time(5) }
}

#[test]
fn a_token_is_its_persons_until_it_is_revoked() {
    on_each(|store| {
        let bot = store.make_bot(&name("oven"), Time(1)).unwrap().unwrap();
        assert_eq!(store.token(&[1; 32], Time(9)).unwrap(), None);
        store.make_token(bot.id, &new_token(1, "kitchen", 10)).unwrap();
        store.make_token(bot.id, &new_token(2, "cellar", 20)).unwrap();
        let listed = |store: &dyn Store| -> Vec<(String, i64, Option<i64>)> {
            let tokens = store.tokens(bot.id).unwrap().into_iter();
            tokens.map(|view| (view.label, view.created_at.0, view.used_at.map(|at| at.0))).collect()
        };
        assert_eq!(listed(store), [("cellar".into(), 20, None), ("kitchen".into(), 10, None)]);
        assert_eq!(store.token(&[1; 32], Time(99)).unwrap(), Some(bot.clone()));
        assert_eq!(listed(store)[1].2, Some(99));
        assert_eq!(store.tokens(bot.id + 1).unwrap(), []);
        assert!(store.revoke(&[1; 32]).unwrap() && !store.revoke(&[1; 32]).unwrap());
        assert_eq!((store.token(&[1; 32], Time(100)).unwrap(), listed(store).len()), (None, 1));
    });
}

#[test]
fn a_bot_is_a_member_whom_no_password_lets_in() {
    on_each(|store| {
        let bot = store.make_bot(&name("Oven"), Time(1)).unwrap().unwrap();
        assert_eq!((bot.name.as_str(), bot.role), ("Oven", Role::Member));
        assert_eq!(store.make_bot(&name("oven"), Time(1)).unwrap(), None);
        store.record(&[post(1, "ann", "1", "hello")]).unwrap();
        assert_eq!(store.make_bot(&name("Ann"), Time(1)).unwrap(), None, "somebody wrote under it");
        assert_eq!(store.bots().unwrap(), std::slice::from_ref(&bot));
        assert!(!store.account(&name("oven")).unwrap().unwrap().password.starts_with('$'), "no hash, so no password");
        assert_eq!(store.people().unwrap().len(), 1);
        assert!(store.rename(bot.id, &name("stove")).unwrap());
        assert_eq!(store.bots().unwrap()[0].name.as_str(), "stove");
    });
}

#[test]
fn a_webhook_begins_where_the_rooms_stand_and_keeps_how_far_it_has_come() {
    on_each(|store| {
        let bot = store.make_bot(&name("oven"), Time(1)).unwrap().unwrap();
        store.record(&[post(1, "ann", "1", "hello"), post(1, "ann", "2", "hello")]).unwrap();
        store.make_webhook(&hook("a", bot.id, Some(1))).unwrap();
        store.make_webhook(&hook("b", bot.id, None)).unwrap();
        let found = store.webhook("a").unwrap().unwrap();
        assert_eq!((found.person.clone(), found.room, found.url.as_str()), (bot, Some(1), "https://example.org/hook"));
        assert_eq!((found.secret.as_str(), found.created_at, found.delivered_at), ("secret", Time(5), None));
        assert_eq!((found.attempts, found.paused, found.error), (0, false, None));
        assert_eq!(store.webhooks().unwrap().iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(store.webhook_marks("a").unwrap(), [(1, 2)]);
        store.mark_webhook("a", &[(1, 7)], Some(Time(50))).unwrap();
        store.mark_webhook("a", &[(1, 8)], None).unwrap();
        assert_eq!(store.webhook_marks("a").unwrap(), [(1, 8)]);
        assert_eq!(store.webhook_marks("b").unwrap(), [(1, 2)]);
        assert_eq!(store.webhook("a").unwrap().unwrap().delivered_at, Some(Time(50)));
        store.mark_webhook("gone", &[(1, 8)], None).unwrap();
        assert_eq!(store.webhook_marks("gone").unwrap(), []);
    });
}

#[test]
fn what_failed_is_kept_until_something_is_taken_again() {
    on_each(|store| {
        let bot = store.make_bot(&name("oven"), Time(1)).unwrap().unwrap();
        store.make_webhook(&hook("a", bot.id, None)).unwrap();
        let judged = |store: &dyn Store| {
            let webhook = store.webhook("a").unwrap().unwrap();
            (webhook.attempts, webhook.paused, webhook.error)
        };
        store.judge_webhook("a", 3, true, Some("it said 500")).unwrap();
        assert_eq!(judged(store), (3, true, Some("it said 500".into())));
        store.judge_webhook("a", 2, false, Some("again")).unwrap();
        store.mark_webhook("a", &[], Some(Time(1))).unwrap();
        assert_eq!(judged(store), (0, false, None));
        assert!(store.remove_webhook("a").unwrap() && !store.remove_webhook("a").unwrap());
        assert_eq!((store.webhook("a").unwrap(), store.webhooks().unwrap()), (None, vec![]));
    });
}
