//! What every page needs: who is asking, the frame around it, forms, errors, assets, the layers.

pub mod assets;
pub mod bounds;
pub mod error;
pub mod escape;
pub mod form;
pub mod health;
pub mod layers;
pub mod list;
pub mod member;
pub mod page;
pub mod routes;
pub mod server;
pub mod session;
pub mod when;

pub use error::{Fault, PageResult};
pub use form::{Form, Upload};
pub use list::{Chip, Cursor, ListQuery, Pager, Tab};
pub use member::{Member, Right, Role};
pub use page::{Choice, Flash, Frame, Page, Undo, html};
pub use when::When;
