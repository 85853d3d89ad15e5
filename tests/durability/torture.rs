//! Killed at any moment, or without power at any moment: whatever anyone saw is there, once, in its place.

use crate::chance::Chance;
use crate::common::program::Program;
use crate::crowd::{CLERK, End, Place, ROOMS, Talker, furnish};
use crate::disk::Disk;
use crate::witness::{Ledger, integrity};
use std::net::SocketAddr;
use std::path::Path;

const CROWD: usize = 12;

/// How often in the short form; `PARLOR_TORTURE` says how often in the long one.
const KILLS: usize = 20;

#[test]
fn killed_at_any_moment_it_has_all_that_anyone_saw() {
    let kills = kills(KILLS);
    torture(kills, None, |_, _| {});
}

/// What was written and not yet synced is there or not, sector by sector, as chance will have it.
#[test]
fn without_power_at_any_moment_it_has_all_that_anyone_saw() {
    let Some(disk) = Disk::new() else { return };
    let kept = disk.keeps();
    torture(kills(KILLS) / 2, Some(&disk), |data, chance| cut_power(data, &kept, chance));
}

fn kills(short: usize) -> usize {
    std::env::var("PARLOR_TORTURE").ok().map_or(short, |kills| kills.parse().expect("a number of kills"))
}

/// Kills a server under load so many times; `meanwhile` is done while it is dead.
fn torture(kills: usize, disk: Option<&Disk>, mut meanwhile: impl FnMut(&Path, &mut Chance)) {
    let mut chance = Chance::from_environment("PARLOR_TORTURE_SEED");
    let folder = tempfile::tempdir().unwrap();
    let (mut program, mut server) = start(folder.path(), disk);
    let place = Place::default();
    let crowd: Vec<Talker> = (0..CROWD).map(|number| Talker::new(number, CROWD, chance.clone())).collect();
    furnish(server, &crowd);
    let mut ledger = Ledger::of(&ROOMS);
    std::thread::scope(|scope| {
        for talker in crowd {
            scope.spawn(|| talker.run(&place));
        }
        // Whatever fails here, they go.
        let _end = End(&place);
        for kill in 0..kills {
            place.open(server);
            let heard = place.witness.wait_for(1 + chance.below(2000));
            place.is_well();
            assert!(heard, "kill {kill}: nothing is heard any more");
            // Any moment means: not only those in which a frame has just come.
            (0..chance.below(20_000)).for_each(|_| std::hint::spin_loop());
            place.close();
            program.child.kill().unwrap();
            program.child.wait().unwrap();
            place.wait_for_idle(CROWD);
            meanwhile(folder.path(), &mut chance);
            (program, server) = start(folder.path(), disk);
            ledger.read_on(server, CLERK, &place.witness);
            place.witness.compare(&ledger);
            assert_eq!(integrity(folder.path()), "ok", "after kill {kill}");
        }
        place.open(server);
        assert!(place.witness.wait_for(200), "nothing is heard after the last kill");
        place.hush(CROWD);
        let mut all = Ledger::of(&ROOMS);
        all.read_on(server, CLERK, &place.witness);
        let shown = place.witness.compare_all(&all);
        let stored: usize = all.rooms.values().map(|line| line.messages.len()).sum();
        println!("{kills} kills, {stored} messages, {shown} states of them shown");
        assert!(stored > kills, "{stored} messages are no load");
        place.finish(all);
    });
    place.is_well();
}

fn start(data: &Path, disk: Option<&Disk>) -> (Program, SocketAddr) {
    let mut command = crate::parlor(data);
    command.args(["--log", "warn"]);
    if let Some(disk) = disk {
        disk.under(&mut command);
    }
    let mut program = Program::start(&mut command);
    let address = program.after("open  http://").parse().unwrap();
    (program, address)
}

/// Puts on the disk what would be there after a power cut: all that was synced, and of the rest any part.
fn cut_power(data: &Path, kept: &Path, chance: &mut Chance) {
    const SECTOR: usize = 512;
    let _ = std::fs::remove_file(data.join("parlor.db-shm"));
    for name in ["parlor.db", "parlor.db-wal"] {
        let written = std::fs::read(data.join(name)).unwrap_or_default();
        let synced = std::fs::read(kept.join(name)).unwrap_or_default();
        let mut left = if chance.percent(50) { written.clone() } else { synced.clone() };
        // Some lose all that was not synced, some nothing, some here and there.
        let lost = [0, 10, 50, 100][chance.below(4)];
        for at in (0..left.len()).step_by(SECTOR) {
            let from = if chance.percent(lost) { &synced } else { &written };
            let end = left.len().min(at + SECTOR);
            let there = end.min(from.len()).max(at);
            if at < there {
                left[at..there].copy_from_slice(&from[at..there]);
            }
            left[there..end].fill(0);
        }
        // What is there after the cut is on the disk from now on.
        std::fs::write(kept.join(name), &left).unwrap();
        std::fs::write(data.join(name), left).unwrap();
    }
}
