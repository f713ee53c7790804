-- The Journal: decisions of one service, in its own database. One log per topic and partition, gapless and in commit order, because whoever appends holds
-- the partition's advisory lock to COMMIT. There is no global sequence, no counter row and no NOTIFY.

-- A small number stands for a topic's name in every row and index entry. Partitions are fixed for life.
create table journal_topics (
  topic smallint primary key,
  name text not null unique,
  partitions smallint not null check (partitions > 0)
);

-- The epochs of this Journal. A restore or failover begins a new one (dos_after_restore).
create table journal_epochs (
  epoch bigint primary key,
  began timestamptz not null default now()
);
insert into journal_epochs (epoch) values (1);

-- data is json and not jsonb: json keeps the bytes as they were written (order of keys, spelling of numbers), so that what is forwarded, hashed or
-- replayed years later is what was decided, and it is still checked to be JSON and open to queries.
-- No foreign key to journal_topics: each append would lock the topic's row.
create table journal_events (
  topic smallint not null,
  partition smallint not null,
  log_offset bigint not null,
  epoch bigint not null,
  stream text not null,
  version bigint not null,
  event_id uuid not null,
  type text not null,
  time timestamptz not null,
  correlation text,
  causation text,
  traceparent text,
  append_id uuid not null,
  data json not null,
  primary key (topic, partition, log_offset),
  constraint journal_stream_version unique (topic, stream, version)
);

create function journal_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'the journal is append-only: % refused', tg_op using errcode = 'restrict_violation';
end $$;
create trigger journal_no_update_no_delete before update or delete on journal_events for each row execute function journal_is_append_only();
create trigger journal_no_truncate before truncate on journal_events for each statement execute function journal_is_append_only();
-- ALWAYS: session_replication_role = replica must not open a way around.
alter table journal_events enable always trigger journal_no_update_no_delete;
alter table journal_events enable always trigger journal_no_truncate;

-- What a command's key led to. The scope is the SHA-256 of (caller, method, path, key): callers' names stay out of the table, and its rows stay small.
create table journal_idempotency_keys (
  scope bytea primary key,
  body_hash bytea not null,
  outcome bytea not null,
  append_id uuid not null,
  topic smallint not null,
  partition smallint not null,
  epoch bigint not null,
  first_offset bigint not null,
  events integer not null,
  stored timestamptz not null default now()
);
create index journal_idempotency_keys_stored on journal_idempotency_keys (stored);

-- Takes the partition's lock until the transaction ends. The two-number form has a key space of its own.
create function journal_lock(p_topic smallint, p_partition smallint) returns void language sql as $$
  select pg_advisory_xact_lock(544173139, p_topic::integer * 65536 + p_partition)
$$;

-- Writes the record that opens an epoch in a partition; its data says the last offset that is kept (-1: none).
create function journal_begin_epoch(p_topic smallint, p_partition smallint, p_epoch bigint) returns void language plpgsql as $$
declare
  v_last bigint;
  v_id uuid;
  v_random bytea := uuid_send(gen_random_uuid());
begin
  perform journal_lock(p_topic, p_partition);
  select log_offset into v_last from journal_events where topic = p_topic and partition = p_partition order by log_offset desc limit 1;
  v_last := coalesce(v_last, -1);
  -- UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds over a random UUIDv4, its version raised to 7.
  v_random := overlay(v_random placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6);
  v_id := encode(set_bit(set_bit(v_random, 52, 1), 53, 1), 'hex')::uuid;
  insert into journal_events (topic, partition, log_offset, epoch, stream, version, event_id, type, time, append_id, data)
  values (p_topic, p_partition, v_last + 1, p_epoch, 'epoch/' || p_partition, p_epoch, v_id, 'de.dos2030.journal.epoch-began.v1',
    date_trunc('milliseconds', clock_timestamp()), v_id, format('{"epoch":%s,"keeps":%s}', p_epoch, v_last)::json);
end $$;

-- Makes a topic known and begins the current epoch in each of its partitions. Repeating it changes nothing; another number of partitions is refused.
create function journal_declare_topic(p_name text, p_partitions integer) returns smallint language plpgsql as $$
declare
  v_topic smallint;
  v_partitions smallint;
  v_epoch bigint;
begin
  perform pg_advisory_xact_lock(544173140, 0);
  select topic, partitions into v_topic, v_partitions from journal_topics where name = p_name;
  if found then
    if v_partitions <> p_partitions then
      raise exception 'topic % has % partitions, not %', p_name, v_partitions, p_partitions using errcode = 'object_not_in_prerequisite_state',
        hint = 'More partitions means a new topic and a copy.';
    end if;
    return v_topic;
  end if;
  select coalesce((select topic from journal_topics order by topic desc limit 1), 0) + 1 into v_topic;
  insert into journal_topics (topic, name, partitions) values (v_topic, p_name, p_partitions);
  select epoch into v_epoch from journal_epochs order by epoch desc limit 1;
  for v_partition in 0 .. p_partitions - 1 loop
    perform journal_begin_epoch(v_topic, v_partition::smallint, v_epoch);
  end loop;
  return v_topic;
end $$;

-- Appends the members of a group to one partition: checked one after another under the lock; those accepted are inserted at the last offset + 1, each of
-- the others learns why not and changes nothing. Members, writes and events are flattened: p_writes counts the writes of each member, p_events the events
-- of each write. Without an idempotency key scope, hash and outcome are null. p_expected: -1 any, 0 no stream, n exactly n.
-- Verdicts: accepted, repeated, key_reused, conflict, elsewhere (the stream lives in partition v_actual).
create function dos_append(
  p_topic smallint, p_partition smallint,
  p_append_ids uuid[], p_scopes bytea[], p_body_hashes bytea[], p_outcomes bytea[],
  p_times timestamptz[], p_correlations text[], p_causations text[], p_traceparents text[], p_writes bigint[],
  p_streams text[], p_expected bigint[], p_events bigint[],
  p_event_ids uuid[], p_types text[], p_data text[]
) returns table (verdict text, epoch bigint, first_offset bigint, events integer, stream text, actual bigint, outcome bytea, home smallint)
language plpgsql as $$
#variable_conflict use_column
declare
  v_lock bigint;
  v_last bigint;
  v_epoch bigint;
  v_key journal_idempotency_keys;
  v_write integer := 1;
  v_event integer := 1;
  v_end integer;
  v_events integer;
  v_actual bigint;
  v_home smallint;
  v_versions bigint[];
begin
  perform journal_lock(p_topic, p_partition);
  -- Under REPEATABLE READ the snapshot would be older than the lock, and what the last holder wrote invisible.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'dos_append needs READ COMMITTED' using errcode = 'active_sql_transaction';
  end if;
  if current_setting('synchronous_commit') = 'off' then
    perform set_config('synchronous_commit', 'on', true);
  end if;
  -- The same key may come to two partitions at once. All keys of a group are locked in ascending order, so that crossed groups wait instead of deadlocking.
  -- Most appends have none, and the query for them was a sixth of such an append.
  if cardinality(array_remove(p_scopes, null)) > 0 then
    for v_lock in
      select distinct ('x' || encode(substring(s from 1 for 8), 'hex'))::bit(64)::bigint as lock from unnest(p_scopes) s where s is not null order by lock
    loop
      perform pg_advisory_xact_lock(v_lock);
    end loop;
  end if;

  select log_offset, epoch into v_last, v_epoch from journal_events
    where topic = p_topic and partition = p_partition order by log_offset desc limit 1;
  if not found then
    raise exception 'topic % has no partition %', p_topic, p_partition using errcode = 'no_data_found';
  end if;

  for m in 1 .. cardinality(p_append_ids) loop
    v_end := v_write + p_writes[m]::integer;
    v_events := 0;
    verdict := 'accepted';
    epoch := v_epoch; first_offset := v_last + 1; stream := null; actual := null; outcome := p_outcomes[m]; home := p_partition;

    if p_scopes[m] is not null then
      select * into v_key from journal_idempotency_keys where scope = p_scopes[m];
      if found then
        verdict := case when v_key.append_id = p_append_ids[m] then 'accepted' when v_key.body_hash = p_body_hashes[m] then 'repeated' else 'key_reused' end;
        epoch := v_key.epoch; first_offset := v_key.first_offset; outcome := v_key.outcome; home := v_key.partition;
        for w in v_write .. v_end - 1 loop v_events := v_events + p_events[w]::integer; end loop;
        v_write := v_end; v_event := v_event + v_events;
        events := v_key.events;
        return next;
        continue;
      end if;
    end if;

    v_versions := '{}';
    for w in v_write .. v_end - 1 loop
      select version, partition into v_actual, v_home from journal_events
        where topic = p_topic and stream = p_streams[w] order by version desc limit 1;
      v_actual := coalesce(v_actual, 0);
      v_versions := v_versions || v_actual;
      v_events := v_events + p_events[w]::integer;
      if verdict <> 'accepted' then
        continue;
      elsif v_home <> p_partition then
        verdict := 'elsewhere'; stream := p_streams[w]; actual := v_home;
      elsif p_expected[w] >= 0 and p_expected[w] <> v_actual then
        verdict := 'conflict'; stream := p_streams[w]; actual := v_actual;
      end if;
    end loop;

    if verdict = 'accepted' then
      for w in v_write .. v_end - 1 loop
        v_actual := v_versions[w - v_write + 1];
        for e in 1 .. p_events[w]::integer loop
          v_last := v_last + 1;
          insert into journal_events (topic, partition, log_offset, epoch, stream, version, event_id, type, time, correlation, causation, traceparent,
            append_id, data)
          values (p_topic, p_partition, v_last, v_epoch, p_streams[w], v_actual + e, p_event_ids[v_event], p_types[v_event], p_times[m],
            p_correlations[m], p_causations[m], p_traceparents[m], p_append_ids[m], p_data[v_event]::json);
          v_event := v_event + 1;
        end loop;
      end loop;
      if p_scopes[m] is not null then
        insert into journal_idempotency_keys (scope, body_hash, outcome, append_id, topic, partition, epoch, first_offset, events)
        values (p_scopes[m], p_body_hashes[m], p_outcomes[m], p_append_ids[m], p_topic, p_partition, v_epoch, first_offset, v_events);
      end if;
    else
      v_event := v_event + v_events;
      first_offset := null; outcome := null;
      v_events := 0;
    end if;
    v_write := v_end;
    events := v_events;
    return next;
  end loop;
end $$;

-- After a restore or failover, before the service starts: raises the epoch, opens it in every partition and raises every sequence by 1,000,000, so that no
-- id is drawn again that was handed out after the backup. p_beyond is an epoch known from elsewhere (consumers, the broker) that must be exceeded too:
-- what is restored twice from one backup would otherwise begin the same epoch twice.
create function dos_after_restore(p_beyond bigint default 0) returns bigint language plpgsql as $$
declare
  v_epoch bigint;
  v_row record;
begin
  perform pg_advisory_xact_lock(544173140, 0);
  for v_row in select topic, partitions from journal_topics order by topic loop
    for v_partition in 0 .. v_row.partitions - 1 loop
      perform journal_lock(v_row.topic, v_partition::smallint);
    end loop;
  end loop;
  select greatest((select epoch from journal_epochs order by epoch desc limit 1), p_beyond) + 1 into v_epoch;
  insert into journal_epochs (epoch) values (v_epoch);
  for v_row in select topic, partitions from journal_topics order by topic loop
    for v_partition in 0 .. v_row.partitions - 1 loop
      perform journal_begin_epoch(v_row.topic, v_partition::smallint, v_epoch);
    end loop;
  end loop;
  for v_row in select format('%I.%I', schemaname, sequencename)::regclass as name, coalesce(last_value, start_value) as last from pg_sequences loop
    perform setval(v_row.name, v_row.last + 1000000);
  end loop;
  return v_epoch;
end $$;

-- Sequences of entity ids carry a prefix, so that a name from code never reaches another sequence.
create function dos_create_entity_ids(p_name text) returns void language plpgsql as $$
begin
  execute format('create sequence if not exists %I', 'entity_ids_' || p_name);
end $$;

-- Gives a role what a service needs and nothing more: it appends and reads; only the owner could change or remove what happened, and the triggers refuse
-- even that. Idempotency keys may also be deleted, by their sweep.
create function dos_restrict_journal_to(p_role text) returns void language plpgsql as $$
declare
  v_sequence regclass;
begin
  execute format('revoke all on journal_topics, journal_epochs, journal_events, journal_idempotency_keys from public, %I', p_role);
  execute format('grant select, insert on journal_topics, journal_events to %I', p_role);
  execute format('grant select on journal_epochs to %I', p_role);
  execute format('grant select, insert, delete on journal_idempotency_keys to %I', p_role);
  execute 'revoke execute on function dos_after_restore(bigint), dos_create_entity_ids(text), dos_restrict_journal_to(text) from public';
  for v_sequence in select format('%I.%I', schemaname, sequencename)::regclass from pg_sequences where sequencename like 'entity\_ids\_%' loop
    execute format('grant usage on sequence %s to %I', v_sequence, p_role);
  end loop;
end $$;
