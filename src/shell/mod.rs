//! The frames around pages: who is asking, what they may do, and what stands around what they asked for.

pub mod layers;
pub mod routes;
pub mod session;
mod staff;

pub use routes::{Access, Routes};
pub use staff::{Frame, Page};
