-- Where a message's event stands: whoever keeps others' warnings folded reads on from there.
alter table foreign_messages add column place bigint not null default 0;
create index foreign_messages_place on foreign_messages (place);
