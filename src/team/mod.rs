//! The staff of a business: members and their roles, and invitations by a link.
//!
//! A link's token is stored as a hash and shown once. It works for one address, once, for seven days. A
//! business always has an owner.

mod accept;
mod invite;
mod members;
pub mod pages;
mod store;

pub use accept::{Accept, Accepted, Who, accept};
pub use invite::{INVITATION_DAYS, Invited, Standing, Withdrawn, invite, withdraw};
pub use members::{Changed, change_role, remove};
