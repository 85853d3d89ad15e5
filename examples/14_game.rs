//! A game for two over binary frames: a ball and two paddles, twelve bytes, sixty times a second.
//!
//! `cargo run --example 14_game`, then open http://localhost:8772 in two windows; or on two phones, with an address that
//! they reach: `cargo run --example 14_game -- 0.0.0.0:8772`. The page is `14_game.html`.

use crossbeam_channel::{Sender, bounded, tick};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io::{Error, Read, Result, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::{sync::Arc, thread::spawn, time::Duration};
use tungstenite::{Message, WebSocket, accept, protocol::Role};

const PAGE: &str = include_str!("14_game.html");
const FIELD: (f32, f32) = (1200.0, 900.0);
const HALF: f32 = 90.0; // of a paddle
const RADIUS: f32 = 12.0; // of the ball
const MACHINE: u64 = 0; // it plays where nobody sits

/// All there is to know. A wish is where a player wants the middle of the paddle.
#[derive(Default)]
struct Game {
    ball: (f32, f32),
    speed: (f32, f32),
    paddles: [f32; 2],
    wishes: [f32; 2],
    points: [u8; 2],
    seats: [u64; 2],
    people: BTreeMap<u64, Sender<Vec<u8>>>, // everyone in the order in which they came; the third and more watch
}

fn main() -> Result<()> {
    let listener = TcpListener::bind(std::env::args().nth(1).unwrap_or("localhost:8772".into()))?;
    let address = listener.local_addr()?;
    println!("Open http://{address} in two windows.\nListening on ws://{address}/game");
    let game = Game { ball: (600.0, 450.0), speed: (9.0, 4.0), paddles: [450.0; 2], ..Game::default() };
    let game = Arc::new(Mutex::new(game));
    let played = game.clone();
    // The clock. The game is here and nowhere else: pages show it, and say what they wish.
    spawn(move || tick(Duration::from_micros(16_667)).iter().for_each(|_| played.lock().step()));
    for (id, stream) in (1..).zip(listener.incoming()) {
        let (game, stream) = (game.clone(), stream?);
        spawn(move || {
            let _ = serve(id, stream, &game);
            game.lock().people.remove(&id);
        });
    }
    Ok(())
}

/// One player's reader. Beside it runs the writer.
fn serve(id: u64, mut stream: TcpStream, game: &Mutex<Game>) -> Result<()> {
    let mut head = [0; 4096];
    stream.peek(&mut head)?;
    if !head.starts_with(b"GET /game") {
        let _ = stream.read(&mut head)?;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
        return write!(stream, "{head}Content-Length: {}\r\n\r\n{PAGE}", PAGE.len());
    }
    // Or the system holds small packets back to send several as one: good for files, bad for games.
    stream.set_nodelay(true)?;
    let writer = stream.try_clone()?;
    let mut socket = accept(stream).map_err(Error::other)?;
    // Two frames may wait. Who is slower than that misses some: of a ball only the newest place counts.
    let (frames, waiting) = bounded(2);
    game.lock().people.insert(id, frames);
    spawn(move || {
        let mut sender = WebSocket::from_raw_socket(&writer, Role::Server, None);
        let _ = waiting.iter().try_for_each(|frame: Vec<u8>| sender.send(Message::binary(frame)));
        let _ = writer.shutdown(Shutdown::Both);
    });
    while let Ok(message) = socket.read() {
        let mut game = game.lock();
        // What comes from outside is checked: two bytes, from somebody who has a paddle. Everything else is passed over.
        if let (Message::Binary(bytes), Some(seat)) = (message, game.seats.iter().position(|seat| *seat == id))
            && let [high, low] = bytes[..]
        {
            game.wishes[seat] = u16::from_be_bytes([high, low]).into();
        }
    }
    Ok(())
}

impl Game {
    fn step(&mut self) {
        for seat in 0..2 {
            if !self.people.contains_key(&self.seats[seat]) {
                self.seats[seat] = *self.people.keys().find(|id| !self.seats.contains(id)).unwrap_or(&MACHINE);
            }
            // Nobody's paddle is faster than the rules allow, whatever a page sends.
            let (wish, most) = if self.seats[seat] == MACHINE { (self.ball.1, 5.0) } else { (self.wishes[seat], 20.0) };
            self.paddles[seat] += (wish.clamp(HALF, FIELD.1 - HALF) - self.paddles[seat]).clamp(-most, most);
        }
        let (x, y) = (self.ball.0 + self.speed.0, self.ball.1 + self.speed.1);
        self.ball = (x, y.clamp(RADIUS, FIELD.1 - RADIUS));
        self.speed.1 *= if y == self.ball.1 { 1.0 } else { -1.0 };
        let side = usize::from(self.speed.0 > 0.0);
        let beyond = if side == 0 { 60.0 - x } else { x - (FIELD.0 - 60.0) }; // where the paddle stands
        let off = self.ball.1 - self.paddles[side];
        if (0.0..self.speed.0.abs()).contains(&beyond) && off.abs() < HALF + RADIUS {
            // Back, a little faster; the farther from the middle of the paddle, the steeper.
            self.speed = ((self.speed.0 * -1.08).clamp(-24.0, 24.0), off / 8.0);
        } else if beyond > 60.0 {
            self.points[1 - side] = self.points[1 - side].saturating_add(1);
            (self.ball, self.speed) = ((600.0, 450.0), (9.0_f32.copysign(self.speed.0), 4.0));
        }
        for (id, frames) in &self.people {
            let _ = frames.try_send(self.frame(*id)); // full: this one is left out
        }
    }

    /// The whole game in twelve bytes; README.md has the table.
    fn frame(&self, id: u64) -> Vec<u8> {
        let seat = self.seats.iter().position(|seat| *seat == id).unwrap_or(2);
        let mut frame = vec![seat as u8, self.people.len() as u8, self.points[0], self.points[1]];
        let numbers = [self.ball.0, self.ball.1, self.paddles[0], self.paddles[1]];
        frame.extend(numbers.iter().flat_map(|number| (*number as u16).to_be_bytes()));
        frame
    }
}
