;; The SIMD form of the step in wire-encoder.ts and octet-counter.ts. One page of memory; the caller owns its layout.
;;
;; Both functions look at 16 octets at a time, and at the 16 octets that start one earlier: what is special about an
;; octet depends on nothing but the octet before it. So the octet at $from - 1 has to be the one that came before.
;; Blocks reach past both ends: up to 16 octets after $end are read or set to 0, up to 17 after $limit are written over.
(module
  (memory (export "memory") 1 1)

  ;; Puts the wire form of the octets $from..$end at $at, until $limit is reached; a pair may end one octet past it.
  ;; Returns where reading stopped in the high and where writing stopped in the low 16 bits.
  (func (export "encode") (param $from i32) (param $end i32) (param $at i32) (param $limit i32) (result i32)
    (local $shift i32) (local $stop i32) (local $block v128) (local $before v128) (local $special i32) (local $here i32)
    ;; An octet goes from its address to the one $shift further on; each octet put in between makes that one more.
    (local.set $shift (i32.sub (local.get $at) (local.get $from)))
    (local.set $stop (call $lower (local.get $end) (i32.sub (local.get $limit) (local.get $shift))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $stop)))
        (local.set $block (v128.load (local.get $from)))
        (local.set $before (v128.load (i32.sub (local.get $from) (i32.const 1))))
        (v128.store (i32.add (local.get $from) (local.get $shift)) (local.get $block))
        ;; One bit for each LF without a CR before it, and each dot with an LF before it
        (local.set $special (i8x16.bitmask (v128.or
          (v128.andnot
            (i8x16.eq (local.get $block) (i8x16.splat (i32.const 0x0a)))
            (i8x16.eq (local.get $before) (i8x16.splat (i32.const 0x0d))))
          (v128.and
            (i8x16.eq (local.get $block) (i8x16.splat (i32.const 0x2e)))
            (i8x16.eq (local.get $before) (i8x16.splat (i32.const 0x0a)))))))
        (if (local.get $special)
          (then
            (loop $insert
              (local.set $here (i32.add (local.get $from) (i32.ctz (local.get $special))))
              (br_if $done (i32.ge_u (local.get $here) (local.get $stop)))
              ;; CR LF for an LF, two dots for a dot; the low octet comes first.
              (i32.store16 (i32.add (local.get $here) (local.get $shift)) (select (i32.const 0x0a0d) (i32.const 0x2e2e)
                (i32.eq (i32.load8_u (local.get $here)) (i32.const 0x0a))))
              (local.set $here (i32.add (local.get $here) (i32.const 1)))
              (local.set $shift (i32.add (local.get $shift) (i32.const 1)))
              (v128.store (i32.add (local.get $here) (local.get $shift)) (v128.load (local.get $here)))
              (local.set $stop (call $lower (local.get $end) (i32.sub (local.get $limit) (local.get $shift))))
              (if (i32.lt_u (local.get $stop) (local.get $here)) (then (local.set $stop (local.get $here))))
              ;; Clears the lowest bit.
              (local.set $special (i32.and (local.get $special) (i32.sub (local.get $special) (i32.const 1))))
              (br_if $insert (local.get $special)))))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (br $next)))
    (i32.or (i32.shl (local.get $stop) (i32.const 16)) (i32.add (local.get $stop) (local.get $shift))))

  (func $lower (param $a i32) (param $b i32) (result i32)
    (select (local.get $a) (local.get $b) (i32.lt_u (local.get $a) (local.get $b))))

  ;; How many LF in $from..$end have no CR before them.
  (func (export "count") (param $from i32) (param $end i32) (result i32)
    (local $count i32)
    ;; What the last block reads past the end must not be an LF.
    (v128.store (local.get $end) (i8x16.splat (i32.const 0)))
    (block $done
      (loop $block
        (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
        (local.set $count (i32.add (local.get $count) (i32.popcnt (i8x16.bitmask (v128.andnot
          (i8x16.eq (v128.load (local.get $from)) (i8x16.splat (i32.const 0x0a)))
          (i8x16.eq (v128.load (i32.sub (local.get $from) (i32.const 1))) (i8x16.splat (i32.const 0x0d))))))))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (br $block)))
    (local.get $count)))
