//! Statements that write many rows at once, each column named once: its name, its type and its value.
//! [`Texts`](super::Texts) stand last, behind a semicolon and with the type of their columns.

/// `insert_rows!("payments", payments, p => { id BIGINT = p.id, … })`: an INSERT of a row each, as a
/// statement to execute.
#[macro_export]
macro_rules! insert_rows {
    ($table:literal, $items:expr, $item:pat => {
        $first:ident $first_type:ident = $first_value:expr
        $(, $name:ident $type:ident = $value:expr)* $(,)?
        $(; $columns:ty = $texts:expr)?
    }) => {
        $crate::db::sql_built(
            [
                concat!("INSERT INTO ", $table, " (", stringify!($first) $(, ", ", stringify!($name))*),
                $(&$crate::db::Texts::<$columns>::columns(", ", ""),)?
                concat!(")
             SELECT r.", stringify!($first) $(, ", r.", stringify!($name))*),
                $(&$crate::db::Texts::<$columns>::columns(", r.", ""),)?
                concat!("
               FROM rows($1, ", stringify!($first), " ", stringify!($first_type)
                    $(, ", ", stringify!($name), " ", stringify!($type))*),
                $(&$crate::db::Texts::<$columns>::columns(", ", " TEXT"),)?
                ") r
              WHERE true",
            ]
            .concat(),
        )
        .bind($crate::rows!($items, $item => { $first: $first_value $(, $name: $value)* $(; $columns: $texts)? }))
    };
}

/// `update_rows!("payments", payments, p => p.id, { lead_id BIGINT = p.lead_id, … })`: an UPDATE of each row
/// by its id, as a statement to execute. `and` names a further condition, `by` a value of each row for it.
#[macro_export]
macro_rules! update_rows {
    ($table:literal $(and $and:literal $(by $known:ident $known_type:ident = $known_value:expr)?)?,
     $items:expr, $item:pat => $id:expr, {
        $first:ident $first_type:ident = $first_value:expr
        $(, $name:ident $type:ident = $value:expr)* $(,)?
        $(; $columns:ty = $texts:expr)?
    }) => {
        $crate::db::sql_built(
            [
                concat!("UPDATE ", $table, "
                SET ", stringify!($first), " = r.", stringify!($first)
                    $(, ", ", stringify!($name), " = r.", stringify!($name))*),
                $(&$crate::db::Texts::<$columns>::assigned(", ", "r."),)?
                concat!("
               FROM rows($1, id BIGINT, ", stringify!($first), " ", stringify!($first_type)
                    $(, ", ", stringify!($name), " ", stringify!($type))*
                    $($(, ", ", stringify!($known), " ", stringify!($known_type))?)?),
                $(&$crate::db::Texts::<$columns>::columns(", ", " TEXT"),)?
                concat!(") r
              WHERE ", $table, ".id = r.id" $(, "
                AND ", $and)?),
            ]
            .concat(),
        )
        .bind($crate::rows!(
            $items,
            $item => {
                id: $id, $first: $first_value $(, $name: $value)* $($(, $known: $known_value)?)? $(; $columns: $texts)?
            }
        ))
    };
}
