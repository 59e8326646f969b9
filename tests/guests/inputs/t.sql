create table t(a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i+1 from n where i<5000) insert into t select i, 'w'||(i*7919%1000), i/3.0 from n;
create index tb on t(b);
select count(*), sum(a), round(avg(c),6) from t;
select b, count(*) n from t group by b order by n desc, b limit 3;
select group_concat(a) from (select a from t where b='w7' order by a);
begin; delete from t where a%2=0; select count(*) from t; rollback;
select hex(md5) from (select 'x' md5); select json_extract('{"a":[1,2,{"b":3}]}','$.a[2].b'); pragma integrity_check;
