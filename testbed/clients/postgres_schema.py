"""The tables of the workloads, where the deployment does not make its own."""

from __future__ import annotations

SCHEMA = """
create table if not exists set_element (
    space bigint not null, value bigint not null, primary key (space, value));
create table if not exists register (
    space bigint not null, key bigint not null, value bigint, primary key (space, key));
create table if not exists account (
    space bigint not null, id bigint not null, balance bigint not null, primary key (space, id));
create table if not exists mark (
    space bigint not null, number bigint not null, primary key (space, number));
create or replace function transfer(in_space bigint, source bigint, target bigint, amount bigint)
returns boolean language plpgsql as $body$
begin
    -- Locks are taken in the order of the identifiers: two transfers cannot deadlock.
    perform 1 from account where space = in_space and id in (source, target)
        order by id for update;
    update account set balance = balance - amount
        where space = in_space and id = source and balance >= amount;
    if not found then
        return false;
    end if;
    update account set balance = balance + amount where space = in_space and id = target;
    return true;
end $body$;
"""
"""Sets, registers, accounts and marks."""

ITEMS = """
create table if not exists item (
    space bigint not null, key bigint not null, value bigint, primary key (space, key));
do $body$ begin
    -- A mesh has its own, which depends on its strategy.
    if to_regclass('item_seen') is null then
        create view item_seen as select space, key, value from item;
    end if;
end $body$;
"""
"""Items of a single cluster, and how they are read."""
