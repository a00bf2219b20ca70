//! The frames around pages: who is asking, what they may do, and what stands around what they asked for.

pub mod browser;
mod elsewhere;
mod form;
pub mod layers;
mod once;
mod posted;
pub mod routes;
pub mod session;
pub mod shown;
mod staff;
mod unsent;
pub mod worklist;

pub use routes::{Access, Routes};
pub use staff::{Frame, Page};
