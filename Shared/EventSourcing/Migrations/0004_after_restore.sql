-- A restore raises every sequence by 1,000,000 draws. A sequence that hands out blocks (readings: 1,000 ids a draw) was raised by 1,000,000 ids, which is less
-- than a city's readings of one hour: after the restore of a backup of last night ids would have come again.
create or replace function dos_after_restore(p_beyond bigint default 0) returns bigint language plpgsql as $$
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
  for v_row in
    select format('%I.%I', schemaname, sequencename)::regclass as name, coalesce(last_value, start_value) as last, increment_by from pg_sequences
  loop
    perform setval(v_row.name, v_row.last + 1000000 * v_row.increment_by);
  end loop;
  return v_epoch;
end $$;
