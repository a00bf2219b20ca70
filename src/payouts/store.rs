//! The rows of payouts, their lines and the settings of both.

mod drafts;
mod formats;
mod lines;
mod owed;
mod payouts;
mod reports;
mod rhythm;
mod settings;
mod sums;

pub use drafts::{Ended, Marks, Named, clear, last_failed, left_out, names, put_lines};
pub use formats::{
    Sealed, SettingsRow, add_settings, choose_settings, current, drop_unused, freeze, frozen, reading, set_reading,
    thaw,
};
pub use lines::{
    LineFilter, LineRow, amounts_of_files, choose, end_lines, line, lines, lines_by_id, lines_of_files, move_lines,
    next_lines,
};
pub use owed::owed;
pub use payouts::{
    PayoutRow, by_number, find, grow, insert, listing, next_number, set_approved, set_closed, set_file, set_locked,
    set_locking, set_state, set_unlocking, size, touch,
};
pub use reports::{drop_old_reports, drop_report, insert_report, report, set_report_reading};
pub use rhythm::{DueKind, due_campaigns, due_kinds, mark_month, set_day};
pub use settings::{
    Approval, Paying, approval, changed_days, minimums, offered, paying, set_approval, set_changed_days, set_minimum,
    set_offered,
};
pub use sums::{Sum, Unpaid, count, is_settled, sums, unpaid};
