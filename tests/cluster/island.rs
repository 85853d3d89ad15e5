//! A node that can be cut off: in a network of its own, where this machine allows that, else behind cables.

use crate::cable::Cable;
use crate::program::{Node, executable};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// What lies between a node and all others.
pub enum Island {
    /// A network namespace, and the device that leads there.
    Network { name: String, device: String, here: IpAddr, there: IpAddr },
    /// To the database and to Redis. Clients still reach the node.
    Cables(Cable, Cable),
}

impl Island {
    pub fn new(database: SocketAddr, redis: SocketAddr) -> Island {
        static MADE: AtomicU8 = AtomicU8::new(1);
        let number = MADE.fetch_add(1, Relaxed);
        let (name, id) = (format!("parlor{}-{number}", std::process::id()), std::process::id() % 200);
        let device = format!("pa{}-{number}", std::process::id());
        let address = |last| IpAddr::V4(Ipv4Addr::new(10, 213, (id as u8).wrapping_add(number), last));
        let (here, there) = (address(1), address(2));
        let island = Island::Network { name: name.clone(), device: device.clone(), here, there };
        let inner = format!("{device}i");
        let made = ip(&format!("netns add {name}"))
            && ip(&format!("link add {device} type veth peer name {inner} netns {name}"))
            && ip(&format!("addr add {here}/24 dev {device}"))
            && ip(&format!("link set {device} up"))
            && ip(&format!("-n {name} addr add {there}/24 dev {inner}"))
            && ip(&format!("-n {name} link set {inner} up"));
        if !made {
            eprintln!("no network of its own can be made here: the node is cut off by cables instead");
            return Island::Cables(Cable::to(database), Cable::to(redis));
        }
        island
    }

    /// Starts a node there. `url` makes the address of the database for a place where it is reached.
    pub fn start(&self, url: impl Fn(SocketAddr) -> String, database: SocketAddr, redis: SocketAddr) -> Node {
        match self {
            Island::Cables(to_database, to_redis) => {
                Node::start(&url(to_database.address), &format!("redis://{}", to_redis.address), &[])
            }
            Island::Network { name, here, there, .. } => {
                let (database, redis) = (forward(*here, database), forward(*here, redis));
                let mut command = Command::new("ip");
                command.args(["netns", "exec", name, &executable(), "--listen", &format!("{there}:0")]);
                command.args(["--database", &url(database), "--cluster", &format!("redis://{redis}")]);
                Node::of(command.args(["--rate", "off", "--per-address", "off"]))
            }
        }
    }

    pub fn cut(&self) {
        match self {
            Island::Network { device, .. } => assert!(ip(&format!("link set {device} down"))),
            Island::Cables(database, redis) => (database.cut(), redis.cut()).0,
        }
    }

    pub fn mend(&self) {
        match self {
            Island::Network { device, .. } => assert!(ip(&format!("link set {device} up"))),
            Island::Cables(database, redis) => (database.mend(), redis.mend()).0,
        }
    }
}

impl Drop for Island {
    fn drop(&mut self) {
        if let Island::Network { name, device, .. } = self {
            ip(&format!("link del {device}"));
            ip(&format!("netns del {name}"));
        }
    }
}

fn ip(words: &str) -> bool {
    Command::new("ip").args(words.split(' ')).output().is_ok_and(|output| output.status.success())
}

/// What comes to a port of that address goes on to another.
fn forward(address: IpAddr, target: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let Ok(far) = TcpStream::connect(target) else { continue };
            for (mut from, mut to) in [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))]
                .map(|(from, to)| (from.unwrap(), to.unwrap()))
            {
                let _ = (from.set_nodelay(true), to.set_nodelay(true));
                std::thread::spawn(move || {
                    let _ = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
        }
    });
    address
}
