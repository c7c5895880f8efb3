-- One row per question of a survey, period and answer: weighted share with a 95 % interval.
with answered as (
    select
        *,
        sum(answers) over (partition by survey_id, period_end, stratum) as respondents,
        count(*) over (partition by survey_id, period_end, stratum) as choices
    from survey_answer
),

-- Both are rounded, and a register's day is not the survey's: there are never fewer people than answered. Of how many people there
-- are the register may not know yet: then nothing is weighted.
stratum as (
    select * replace (case when people > 0 then greatest(people, respondents) end as people)
    from answered
),

-- A stratum speaks for its people where anybody in it answered; one without answers speaks for nobody.
weighted as (
    select
        *,
        people / sum(people) over (partition by survey_id, period_end, answer) as weight,
        answers / respondents as share
    from stratum
    where respondents > 1
),

estimate as (
    select
        survey_id, period_end, any_value(period_label) as period_label, answer,
        sum(answers) as answers,
        sum(respondents) as respondents,
        max(rounded_to) as rounded_to,
        case when count(*) = count(people) then sum(people) end as people,
        case when count(*) = count(people) then sum(weight * share) end as share,
        -- How far rounding alone may move the two percentages: this answer one way, and all others the other way.
        100 * sum(weight * (rounded_to // 2) * (respondents + (choices - 2) * answers)
            / (respondents * greatest(respondents - (choices - 2) * (rounded_to // 2), 1))) as tolerance,
        100 * sum(rounded_to // 2) * (sum(respondents) + max(choices - 2) * sum(answers))
            / (sum(respondents) * greatest(sum(respondents - (choices - 2) * (rounded_to // 2)), 1)) as unweighted_tolerance,
        -- Chance, for those who did not answer; and the rounding of this answer and of the others beside it.
        sum(
            weight * weight * (
                share * (1 - share) / (respondents - 1) * (1 - respondents / people)
                + (rounded_to * rounded_to - 1) / 12 * ((1 - share) * (1 - share) + (choices - 1) * share * share)
                / (respondents * respondents)
            )
        ) as variance
    from weighted
    group by survey_id, period_end, answer
),

-- On the scale of log odds an interval stays between 0 and 100 %. Nobody and everybody get the rule of three, for those who
-- did not answer. All schools are asked: they are no sample, and what they differ by widens nothing (decision 0032).
bounded as (
    select
        *,
        case when share > 0 and share < 1 then ln(share / (1 - share)) end as logit,
        case when share > 0 and share < 1 then 1.96 * sqrt(variance) / (share * (1 - share)) end as margin,
        greatest(300 / respondents * (1 - respondents / people), 100 * floor(rounded_to / 2) / respondents) as three
    from estimate
)

select
    b.survey_id,
    s.title_de,
    s.title_en,
    s.question_de,
    s.question_en,
    b.period_label,
    b.period_end,
    b.answer,
    c.label_de as answer_de,
    c.label_en as answer_en,
    cast(b.answers as integer) as answers,
    cast(b.respondents as integer) as respondents,
    cast(b.people as integer) as people,
    round(100 * b.respondents / b.people, 1) as response_percent,
    -- A percentage that rounding may move farther than the policy allows is published as its interval only.
    case when b.unweighted_tolerance <= getvariable('widest_tolerance') then round(100 * b.answers / b.respondents, 1) end
        as unweighted_percent,
    -- Nothing is published of fewer than thirty, as of every other rate.
    case when b.respondents >= 30 and b.tolerance <= getvariable('widest_tolerance') then round(100 * b.share, 1) end
        as share_percent,
    case
        when b.respondents < 30 then null
        when b.share <= 0 then 0
        when b.share >= 1 then round(100 - b.three, 1)
        else round(100 / (1 + exp(-(b.logit - b.margin))), 1)
    end as share_low,
    case
        when b.respondents < 30 then null
        when b.share <= 0 then round(b.three, 1)
        when b.share >= 1 then 100
        else round(100 / (1 + exp(-(b.logit + b.margin))), 1)
    end as share_high
from bounded as b
inner join survey as s on s.survey_id = b.survey_id
left join breakdown_cell as c on c.breakdown = 'category' and c.cell = b.answer
