//! API keys: made once, stored as a hash, checked on every call.
//!
//! A key's text carries a checksum, so nonsense is refused without a look at the database. A node trusts what
//! it has read of a key for at most a second, so a revoked key is dead everywhere within one.

mod curls;
mod hand_over;
mod make;
mod networks;
mod owner;
pub mod pages;
pub mod publishable;
mod ring;
mod rotate;
mod scopes;
mod store;
mod webhook;

pub use curls::sign_up_curl;
pub use hand_over::{Successor, end_or_hand_over, held_by};
pub use make::{Made, MakeKey, Revoked, make, revoke, through};
pub use networks::Networks;
pub use owner::{KeyOwner, by_text, owner};
pub use ring::{KeyError, Keyring, Known};
pub use rotate::{OVERLAPS, Rotated, rotate};
pub use scopes::{SCOPES, all_scopes, scopes_in_words, scopes_of};
pub use store::{KeyLine, NewKey, WebhookRow, find, insert, list};
pub use webhook::{find as find_webhook, set as set_webhook, shown as webhooks};
