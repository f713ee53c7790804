-- What other senders have warned of, each message once.
create table foreign_messages (
  stream text primary key,
  sender text not null,
  identifier text not null,
  sent timestamptz not null,
  document text not null
);
create index foreign_messages_sent on foreign_messages (sent desc);
