create function tell_ask() returns trigger language plpgsql as $$
declare
    event_kind text := case when new.status = 'open' then 'poll.opened' else 'poll.closed' end;
begin
    if is_told(new.organisation_id, event_kind) then
        perform tell(new.organisation_id, event_kind, jsonb_build_object('poll_id', new.id), null,
            coalesce(case when new.status = 'open' then new.opened_at else new.closed_at end,
                     event_moment()));
    end if;
    return null;
end $$;

-- Of a secret poll nobody is told who answered, nor when.
create function tell_answered() returns trigger language plpgsql as $$
begin
    if is_told(new.organisation_id, 'poll.answered')
       and (tg_op = 'INSERT' or old.status <> 'complete')
       and exists (select 1 from asks a
                    where a.organisation_id = new.organisation_id and a.id = new.ask_id
                      and a.mode = 'named') then
        perform tell(new.organisation_id, 'poll.answered',
            jsonb_build_object('poll_id', new.ask_id, 'contact_id', new.contact_id,
                               'registration_id', new.id),
            new.contact_id, coalesce(new.completed_at, new.updated_at));
    end if;
    return null;
end $$;

create function tell_sent() returns trigger language plpgsql as $$
begin
    if is_told(new.organisation_id, 'broadcast.finished') then
        perform tell(new.organisation_id, 'broadcast.finished',
            jsonb_build_object('broadcast_id', new.id, 'poll_id', new.ask_id, 'kind', new.kind),
            null, coalesce(new.finished_at, event_moment()));
    end if;
    return null;
end $$;

create trigger tell_ask after update of status on asks for each row
    when (new.status in ('open', 'closed') and new.status <> old.status
          and new.kind = 'poll')
    execute function tell_ask();
create trigger tell_answered after insert or update of status on flow_sessions for each row
    when (new.status = 'complete' and new.kind = 'poll' and new.origin ? 'ask')
    execute function tell_answered();
create trigger tell_sent after update of status on broadcasts for each row
    when (new.status = 'finished' and old.status <> 'finished')
    execute function tell_sent();
