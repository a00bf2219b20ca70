//! Payments that come by themselves: the messages of payment providers.
//!
//! A message's way: its signature is checked and it is stored as it came ([`receive`]), which is all that the provider
//! waits for. A scheduled task reads what it says ([`told`]), puts it together with all other messages about the same
//! payment ([`story`]), and sends the engine the events that the story has beyond what the engine knows ([`apply`]).
//! Nothing about money is decided here: the events are those that a call makes, by the same way in.
//!
//! A provider is a file that checks a signature and reads a message; [`provider`] names them.

pub mod accounts;
pub mod apply;
pub mod connect;
mod flutterwave;
mod lemon_squeezy;
mod message;
mod paddle;
pub mod pages;
mod paystack;
pub mod provider;
mod read;
pub mod receive;
mod signature;
pub mod standing;
pub mod store;
mod story;
pub mod stripe;
mod told;
pub mod watch;
pub mod why;

pub use provider::Provider;
