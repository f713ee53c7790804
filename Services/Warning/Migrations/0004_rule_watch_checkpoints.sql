-- The places of whoever watches for rules stand where those of all consumers do, so that a topic that gets more partitions finds them there.
-- rule_positions is left for the programs before this one; a later step may drop it.
insert into dos_checkpoints (subscription, topic, partition, position)
select 'rule-watch', topic, partition, position from rule_positions
on conflict do nothing;
