//! A batch comes out as if each of its records had been stored alone, one after the other, whatever is in it.

use super::*;

/// Numbers that look like chance, and are the same each time; and times, each later than the one before.
struct Dice(u64, i64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn time(&mut self) -> Time {
        self.1 += 1;
        Time(self.1)
    }
}

/// Posts, some of them again, answers and changes, also of what the same batch posts or has never been; in two rooms, by people
/// who speak to each other, some before they are there.
fn anything(dice: &mut Dice, count: u64) -> Vec<Record> {
    let record = |n: u64, dice: &mut Dice| {
        let at = dice.time();
        let (room, by) = (1 + dice.roll(2) as RoomId, name(&format!("person {}", dice.roll(2 + n / 20))));
        let seq = 1 + dice.roll(n + 2) as Rev;
        let change = |dice: &mut Dice| match dice.roll(3) {
            0 => Change::Edit(format!("changed {n}: @person {}", dice.roll(9))),
            1 => Change::React { emoji: "👍".into(), on: dice.roll(3) > 0 },
            _ => Change::Delete,
        };
        match dice.roll(20) {
            0 => Record::Amend { room, seq, by, role: Role::Member, change: change(dice), at },
            1 => Record::Read { person: by, room: 1, rev: seq },
            2 => Record::Invite { room: 2, person: by, by: None, at },
            what => {
                let (id, body) = (dice.roll(n * 4 + 2).to_string(), format!("{n} @person {}", dice.roll(12)));
                let reply_to = (what == 3).then_some(seq);
                Record::Post { room, author: by, role: None, id, body, reply_to, at }
            }
        }
    };
    (0..count).map(|n| record(n, dice)).collect()
}

#[test]
fn a_batch_is_what_its_records_are_one_after_the_other() {
    on_each(|store| {
        let one_by_one = Memory::new(5).unwrap();
        for store in [store, &one_by_one] {
            store.record(&[create_as("den", Kind::Private, Some("person 0"), &["person 0"])]).unwrap();
        }
        let mut dice = Dice(7, 1_900_000_000_000);
        for size in [1, 2, 3, 20, 300] {
            let batch = anything(&mut dice, size);
            let outcomes = store.record(&batch).unwrap();
            for (record, outcome) in batch.iter().zip(outcomes) {
                let alone = one_by_one.record(std::slice::from_ref(record)).unwrap().remove(0);
                assert_eq!(outcome, alone, "{record:?}");
            }
        }
        for room in [1, 2] {
            assert_eq!(store.since(room, 0, 9999).unwrap(), one_by_one.since(room, 0, 9999).unwrap());
        }
        assert_eq!(store.every_room().unwrap(), one_by_one.every_room().unwrap());
        for n in 0..15 {
            let who = name(&format!("person {n}"));
            assert_eq!(store.rooms(&who, 9).unwrap(), one_by_one.rooms(&who, 9).unwrap(), "{who:?}");
        }
    });
}

#[test]
fn a_batch_of_any_size_is_stored() {
    on_each(|store| {
        let long = "x".repeat(200);
        let batch: Vec<Record> = (0..2500)
            .map(|n| post(1, &format!("p{}", n % 50), &n.to_string(), &format!("@p{} {long}", n % 7)))
            .collect();
        assert_eq!(store.record(&batch).unwrap().len(), 2500);
        assert_eq!(store.since(1, 0, 9999).unwrap().len(), 2500);
        assert_eq!(lobby(store).head, 2500);
        let again = store.record(&batch[2400..]).unwrap();
        assert!(again.iter().all(|outcome| matches!(outcome, Outcome::Repeated(_))));
        assert_eq!(lobby(store).head, 2500);
    });
}
