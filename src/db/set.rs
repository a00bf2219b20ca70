//! Statements that write many rows at once, each column named once: its name, its type and its value.

/// `insert_rows!("payments", payments, p => { id BIGINT = p.id, … })`: an INSERT of a row each, as a
/// statement to execute.
#[macro_export]
macro_rules! insert_rows {
    ($table:literal, $items:expr, $item:pat => {
        $first:ident $first_type:ident = $first_value:expr
        $(, $name:ident $type:ident = $value:expr)* $(,)?
    }) => {
        $crate::db::sql(concat!(
            "INSERT INTO ", $table, " (", stringify!($first) $(, ", ", stringify!($name))*, ")
             SELECT r.", stringify!($first) $(, ", r.", stringify!($name))*, "
               FROM rows($1, ", stringify!($first), " ", stringify!($first_type)
                $(, ", ", stringify!($name), " ", stringify!($type))*, ") r
              WHERE true"
        ))
        .bind($crate::rows!($items, $item => { $first: $first_value $(, $name: $value)* }))
    };
}

/// `update_rows!("payments", payments, p => p.id, { lead_id BIGINT = p.lead_id, … })`: an UPDATE of each row
/// by its id, as a statement to execute. `and` names a further condition.
#[macro_export]
macro_rules! update_rows {
    ($table:literal $(and $and:literal)?, $items:expr, $item:pat => $id:expr, {
        $first:ident $first_type:ident = $first_value:expr
        $(, $name:ident $type:ident = $value:expr)* $(,)?
    }) => {
        $crate::db::sql(concat!(
            "UPDATE ", $table, "
                SET ", stringify!($first), " = r.", stringify!($first)
                $(, ", ", stringify!($name), " = r.", stringify!($name))*, "
               FROM rows($1, id BIGINT, ", stringify!($first), " ", stringify!($first_type)
                $(, ", ", stringify!($name), " ", stringify!($type))*, ") r
              WHERE ", $table, ".id = r.id" $(, "
                AND ", $and)?
        ))
        .bind($crate::rows!($items, $item => { id: $id, $first: $first_value $(, $name: $value)* }))
    };
}
