-- What a gauge upstream announces, where a hint rests on one: time, level, low, high.
alter table hints add column forecast json;
