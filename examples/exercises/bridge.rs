//! A bridge of many nodes (chapter 18).
//!
//! Join any number of nodes, each to each: what somebody says in the `lobby` of one is said in the lobby of all others, once,
//! by `bridge`, as `ann: hello`. On its own node it is there already.
//! - Nothing that is said after your function has returned is lost. It returns at once; threads do the work.
//! - One node that has stopped does not keep the others from hearing each other.
//!
//! A `Handle` can be cloned. `18_two_nodes.rs` shows how to subscribe, how to post, and what must not be passed on.
//!
//! `cargo test --test exercises bridge -- --ignored`

use parlor::Handle;

pub fn bridge(nodes: &[Handle]) {
    todo!("yours to write")
}
