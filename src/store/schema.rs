//! The tables, as Diesel sees them in every database. Written by hand: the migrations are the truth.

diesel::table! {
    facts (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    people (id) {
        id -> BigInt,
        name -> Text,
        folded -> Text,
        role -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    sessions (token_hash) {
        token_hash -> Binary,
        person_id -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    rooms (id) {
        id -> BigInt,
        name -> Text,
        title -> Text,
        kind -> Text,
        head -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    messages (id) {
        id -> BigInt,
        room_id -> BigInt,
        seq -> BigInt,
        rev -> BigInt,
        author_id -> BigInt,
        client_id -> Text,
        at -> BigInt,
        body -> Text,
    }
}

diesel::table! {
    marks (person_id, room_id) {
        person_id -> BigInt,
        room_id -> BigInt,
        rev -> BigInt,
    }
}

diesel::joinable!(messages -> people (author_id));
diesel::joinable!(messages -> rooms (room_id));
diesel::joinable!(sessions -> people (person_id));
diesel::joinable!(marks -> people (person_id));
diesel::joinable!(marks -> rooms (room_id));
diesel::allow_tables_to_appear_in_same_query!(facts, people, sessions, rooms, messages, marks);
