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
        password -> Nullable<Text>,
        avatar -> Nullable<Binary>,
        created_at -> BigInt,
    }
}

diesel::table! {
    sessions (token_hash) {
        token_hash -> Binary,
        person_id -> BigInt,
        created_at -> BigInt,
        seen_at -> BigInt,
        agent -> Text,
    }
}

diesel::table! {
    invitations (token_hash) {
        token_hash -> Binary,
        role -> Text,
        created_by -> Nullable<BigInt>,
        created_at -> BigInt,
        expires_at -> BigInt,
        uses_left -> BigInt,
    }
}

diesel::table! {
    rooms (id) {
        id -> BigInt,
        name -> Text,
        title -> Text,
        topic -> Text,
        kind -> Text,
        archived -> Bool,
        slow -> BigInt,
        read_only -> Bool,
        maker_id -> Nullable<BigInt>,
        head -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    members (room_id, person_id) {
        room_id -> BigInt,
        person_id -> BigInt,
        since -> BigInt,
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
        reply_to -> Nullable<BigInt>,
        edited_at -> Nullable<BigInt>,
        deleted -> Bool,
    }
}

diesel::table! {
    reactions (message_id, emoji, person_id) {
        message_id -> BigInt,
        emoji -> Text,
        person_id -> BigInt,
        rev -> BigInt,
    }
}

diesel::table! {
    mentions (person_id, message_id) {
        person_id -> BigInt,
        message_id -> BigInt,
    }
}

diesel::table! {
    marks (person_id, room_id) {
        person_id -> BigInt,
        room_id -> BigInt,
        rev -> BigInt,
    }
}

diesel::table! {
    changes (room_id, rev) {
        room_id -> BigInt,
        rev -> BigInt,
        message_id -> BigInt,
    }
}

diesel::table! {
    writers (id) {
        id -> Text,
        batch -> BigInt,
        at -> BigInt,
    }
}

diesel::table! {
    sanctions (person_id, penalty) {
        person_id -> BigInt,
        penalty -> Text,
        until -> Nullable<BigInt>,
        reason -> Text,
        by_name -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    banned_networks (person_id, network) {
        person_id -> BigInt,
        network -> Text,
    }
}

diesel::table! {
    deeds (id) {
        id -> BigInt,
        at -> BigInt,
        by_name -> Text,
        act -> Text,
        whom -> Nullable<Text>,
        room -> Nullable<Text>,
        detail -> Nullable<Text>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    search_words (rowid) {
        rowid -> BigInt,
        words -> Text,
    }
}

diesel::table! {
    search_places (n) {
        n -> BigInt,
        message_id -> BigInt,
    }
}

diesel::table! {
    search_marks (room_id) {
        room_id -> BigInt,
        seq -> BigInt,
        rev -> BigInt,
    }
}

diesel::joinable!(search_places -> messages (message_id));
diesel::joinable!(search_marks -> rooms (room_id));
diesel::allow_tables_to_appear_in_same_query!(search_places, messages);
diesel::allow_tables_to_appear_in_same_query!(search_marks, rooms);
diesel::joinable!(sanctions -> people (person_id));
diesel::joinable!(messages -> people (author_id));
diesel::joinable!(messages -> rooms (room_id));
diesel::joinable!(sessions -> people (person_id));
diesel::joinable!(members -> people (person_id));
diesel::joinable!(members -> rooms (room_id));
diesel::joinable!(marks -> people (person_id));
diesel::joinable!(marks -> rooms (room_id));
diesel::joinable!(changes -> messages (message_id));
diesel::joinable!(reactions -> messages (message_id));
diesel::joinable!(reactions -> people (person_id));
diesel::joinable!(mentions -> messages (message_id));
diesel::joinable!(mentions -> people (person_id));
diesel::allow_tables_to_appear_in_same_query!(
    facts,
    people,
    sessions,
    invitations,
    rooms,
    members,
    messages,
    marks,
    changes,
    reactions,
    mentions,
    sanctions
);

diesel::table! {
    tokens (token_hash) {
        token_hash -> Binary,
        person_id -> BigInt,
        label -> Text,
        created_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    bots (person_id) {
        person_id -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    webhooks (id) {
        id -> Text,
        person_id -> BigInt,
        room_id -> Nullable<BigInt>,
        url -> Text,
        secret -> Text,
        created_at -> BigInt,
        delivered_at -> Nullable<BigInt>,
        attempts -> BigInt,
        paused -> Bool,
        error -> Nullable<Text>,
    }
}

diesel::table! {
    webhook_marks (webhook_id, room_id) {
        webhook_id -> Text,
        room_id -> BigInt,
        rev -> BigInt,
    }
}

diesel::joinable!(tokens -> people (person_id));
diesel::joinable!(bots -> people (person_id));
diesel::joinable!(webhooks -> people (person_id));
diesel::allow_tables_to_appear_in_same_query!(tokens, people);
diesel::allow_tables_to_appear_in_same_query!(bots, people);
diesel::allow_tables_to_appear_in_same_query!(webhooks, people);
