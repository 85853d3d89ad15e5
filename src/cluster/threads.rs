//! The threads of a node: its sender, its receiver and its scout.

use super::bus::Bus;
use super::{Address, Node, receiver, scout, sender};
use crate::error::Error;
use crate::line::Line;
use std::sync::Arc;
use std::thread::JoinHandle;

/// The threads that a node has more than a server that is alone.
pub(crate) struct Threads {
    node: Arc<Node>,
    threads: Vec<(&'static str, JoinHandle<()>)>,
}

impl Threads {
    /// Starts them; None where there is no cluster. Each has a `fault` of its name, which is dropped when it ends.
    pub fn start<F: Send + 'static>(
        line: &Arc<Line>,
        fault: impl Fn(&'static str) -> F,
    ) -> Result<Option<Threads>, Error> {
        let Some(node) = line.cluster.0.clone() else { return Ok(None) };
        let Some(address) = &line.settings.cluster else { return Ok(None) };
        let bus: Arc<dyn Bus> = Address::parse(address)?.bus(line.store.epoch(), line.settings.keep.shared())?;
        let mut threads = Threads { node: node.clone(), threads: Vec::new() };
        let (own, at, own_line) = (node.clone(), bus.clone(), line.clone());
        threads.spawn("sender", fault("cluster's sender"), move || sender::run(&own, &own_line, &*at))?;
        let (own, own_line) = (node.clone(), line.clone());
        threads.spawn("receiver", fault("cluster's receiver"), move || receiver::run(&own, &own_line, &*bus))?;
        let own_line = line.clone();
        threads.spawn("scout", fault("cluster's scout"), move || scout::run(&node, &own_line))?;
        Ok(Some(threads))
    }

    fn spawn(
        &mut self,
        name: &'static str,
        fault: impl Send + 'static,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), Error> {
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || {
            let _fault = fault;
            work();
        });
        let failed = |cause| Error::System("cannot start one of the cluster's threads", cause);
        self.threads.push((name, thread.map_err(failed)?));
        Ok(())
    }

    /// Ends them. What was told up to now is sent, if the bus takes it.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.node.errands.stop();
        self.node.outgoing.stop();
        for (name, thread) in self.threads.drain(..) {
            if thread.join().is_err() {
                log::error!("the cluster's {name} panicked");
            }
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.end();
    }
}
