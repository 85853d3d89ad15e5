use parlor::Handle;
use std::thread::spawn;

pub fn bridge(nodes: &[Handle]) {
    for (at, node) in nodes.iter().enumerate() {
        let mut others = nodes.to_vec();
        others.remove(at);
        let Ok(messages) = node.subscribe("lobby") else { continue };
        spawn(move || {
            for message in messages.filter(|message| message.from != "bridge") {
                for other in &others {
                    let _ = other.post("lobby", "bridge", &format!("{}: {}", message.from, message.body));
                }
            }
        });
    }
}
