//! The parts that every page needs: forms, lists, errors, assets, the layers, the server and its bounds. It
//! knows no feature.

pub mod assets;
pub mod bounds;
pub mod error;
pub mod escape;
pub mod flash;
pub mod form;
pub mod handler;
pub mod health;
pub mod layers;
pub mod list;
pub mod page;
pub mod server;
pub mod stamp;

pub use error::{Fault, PageResult};
pub use flash::{Flash, Undo};
pub use form::{Form, Upload};
pub use list::{Chip, Pager, Tab};
pub use page::{Choice, html};
pub use stamp::Stamp;
