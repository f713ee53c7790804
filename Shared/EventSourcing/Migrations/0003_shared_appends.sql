-- Appends to several partitions share a transaction: its function takes a partition for each member, and what it does once per event it does once per write.
-- The function for one partition stays for processes of the version before.

-- Takes the partition's lock if nobody has it.
create function journal_try_lock(p_topic smallint, p_partition smallint) returns boolean language sql as $$
  select pg_try_advisory_xact_lock(544173139, p_topic::integer * 65536 + p_partition)
$$;

-- Appends the members of a group, each to its partition: checked one after another under the partitions' locks; those accepted are inserted at the last
-- offset + 1, each of the others learns why not and changes nothing. Members come in the order of their partitions; writes and events are flattened:
-- p_writes counts the writes of each member, p_events the events of each write. Without an idempotency key scope, hash and outcome are null.
-- p_expected: -1 any, 0 no stream, n exactly n.
-- p_waits: for a partition's lock; never with several partitions, since nobody may wait for one while holding others. Without it the members of a partition
-- that is locked elsewhere are busy: they are to come again by themselves.
-- Verdicts: accepted, repeated, key_reused, conflict, elsewhere (the stream lives in partition v_actual), busy.
create function dos_append(
  p_topic smallint, p_waits boolean, p_partitions smallint[],
  p_append_ids uuid[], p_scopes bytea[], p_body_hashes bytea[], p_outcomes bytea[],
  p_times timestamptz[], p_correlations text[], p_causations text[], p_traceparents text[], p_writes bigint[],
  p_streams text[], p_expected bigint[], p_events bigint[],
  p_event_ids uuid[], p_types text[], p_data text[]
) returns table (verdict text, epoch bigint, first_offset bigint, events integer, stream text, actual bigint, outcome bytea, home smallint)
-- Else the insert would be planned anew for every write, since how many events it has is thought to matter.
language plpgsql set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_members integer := cardinality(p_append_ids);
  v_busy smallint[] := '{}';
  v_lock bigint;
  v_partition smallint := -1;
  v_last bigint;
  v_epoch bigint;
  v_key journal_idempotency_keys;
  v_write integer := 1;
  v_event integer := 1;
  v_end integer;
  v_count integer;
  v_events integer;
  v_actual bigint;
  v_home smallint;
  v_versions bigint[];
begin
  -- All locks before anything is read: what their last holders wrote must be visible.
  for m in 1 .. v_members loop
    if p_partitions[m] <> v_partition then
      v_partition := p_partitions[m];
      if not journal_try_lock(p_topic, v_partition) then
        if p_waits then
          perform journal_lock(p_topic, v_partition);
        else
          v_busy := v_busy || v_partition;
        end if;
      end if;
    end if;
  end loop;
  -- Under REPEATABLE READ the snapshot would be older than the lock, and what the last holder wrote invisible.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'dos_append needs READ COMMITTED' using errcode = 'active_sql_transaction';
  end if;
  if current_setting('synchronous_commit') = 'off' then
    perform set_config('synchronous_commit', 'on', true);
  end if;
  -- The same key may come to two partitions at once. All keys of a group are locked in ascending order, so that crossed groups wait instead of deadlocking;
  -- and after all partitions, so that who waits for a key waits for nobody who waits for a partition.
  -- Most appends have none, and the query for them was a sixth of such an append.
  if cardinality(array_remove(p_scopes, null)) > 0 then
    for v_lock in
      select distinct ('x' || encode(substring(s from 1 for 8), 'hex'))::bit(64)::bigint as lock from unnest(p_scopes) s where s is not null order by lock
    loop
      perform pg_advisory_xact_lock(v_lock);
    end loop;
  end if;

  v_partition := -1;
  for m in 1 .. v_members loop
    v_end := v_write + p_writes[m]::integer;
    v_events := 0;
    verdict := 'accepted';
    if p_partitions[m] <> v_partition then
      v_partition := p_partitions[m];
      select log_offset, epoch into v_last, v_epoch from journal_events
        where topic = p_topic and partition = v_partition order by log_offset desc limit 1;
      if not found then
        raise exception 'topic % has no partition %', p_topic, v_partition using errcode = 'no_data_found';
      end if;
    end if;
    epoch := v_epoch; first_offset := v_last + 1; stream := null; actual := null; outcome := p_outcomes[m]; home := v_partition;

    if v_partition = any(v_busy) then
      for w in v_write .. v_end - 1 loop v_event := v_event + p_events[w]::integer; end loop;
      v_write := v_end;
      verdict := 'busy'; first_offset := null; outcome := null; events := 0;
      return next;
      continue;
    end if;

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
      elsif v_home <> v_partition then
        verdict := 'elsewhere'; stream := p_streams[w]; actual := v_home;
      elsif p_expected[w] >= 0 and p_expected[w] <> v_actual then
        verdict := 'conflict'; stream := p_streams[w]; actual := v_actual;
      end if;
    end loop;

    if verdict = 'accepted' then
      for w in v_write .. v_end - 1 loop
        v_actual := v_versions[w - v_write + 1];
        v_count := p_events[w]::integer;
        insert into journal_events (topic, partition, log_offset, epoch, stream, version, event_id, type, time, correlation, causation, traceparent,
          append_id, data)
        select p_topic, v_partition, v_last + n, v_epoch, p_streams[w], v_actual + n, p_event_ids[v_event + n - 1], p_types[v_event + n - 1], p_times[m],
          p_correlations[m], p_causations[m], p_traceparents[m], p_append_ids[m], p_data[v_event + n - 1]::json
        from (select generate_series(1, v_count) as n) numbers;
        v_last := v_last + v_count;
        v_event := v_event + v_count;
      end loop;
      if p_scopes[m] is not null then
        insert into journal_idempotency_keys (scope, body_hash, outcome, append_id, topic, partition, epoch, first_offset, events)
        values (p_scopes[m], p_body_hashes[m], p_outcomes[m], p_append_ids[m], p_topic, v_partition, v_epoch, first_offset, v_events);
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
