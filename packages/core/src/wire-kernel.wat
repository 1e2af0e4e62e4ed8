;; The SIMD form of the step in wire-encoder.ts and octet-counter.ts. One page of memory; the caller owns its layout.
;;
;; Both functions look at 16 octets at a time, and at the 16 octets that start one earlier: what is special about an
;; octet depends on nothing but the octet before it. So the octet at $from - 1 has to be the one that came before.
;; Blocks may reach past both ends: up to 15 octets after $end are read, up to 15 after $limit are written over.
(module
  (memory (export "memory") 1 1)

  ;; Puts the wire form of the octets $from..$end at $at, until $at reaches $limit; a pair may end one octet past it.
  ;; Returns where reading stopped in the high and where writing stopped in the low 16 bits.
  (func (export "encode") (param $from i32) (param $end i32) (param $at i32) (param $limit i32) (result i32)
    (local $stop i32) (local $block v128) (local $before v128) (local $special i32)
    (block $done
      (loop $pair
        ;; Until the next special octet, $from and $at move together: one end comes first for both.
        (local.set $stop (i32.add (local.get $from) (i32.sub (local.get $limit) (local.get $at))))
        (if (i32.gt_u (local.get $stop) (local.get $end)) (then (local.set $stop (local.get $end))))
        (loop $plain
          (br_if $done (i32.ge_u (local.get $from) (local.get $stop)))
          (local.set $block (v128.load (local.get $from)))
          (local.set $before (v128.load (i32.sub (local.get $from) (i32.const 1))))
          (v128.store (local.get $at) (local.get $block))
          ;; LF and no CR before it, or a dot and an LF before it
          (local.set $special (i8x16.bitmask (v128.or
            (v128.andnot
              (i8x16.eq (local.get $block) (i8x16.splat (i32.const 0x0a)))
              (i8x16.eq (local.get $before) (i8x16.splat (i32.const 0x0d))))
            (v128.and
              (i8x16.eq (local.get $block) (i8x16.splat (i32.const 0x2e)))
              (i8x16.eq (local.get $before) (i8x16.splat (i32.const 0x0a)))))))
          (if (i32.eqz (local.get $special))
            (then
              (local.set $from (i32.add (local.get $from) (i32.const 16)))
              (local.set $at (i32.add (local.get $at) (i32.const 16)))
              (br $plain))))
        (local.set $special (i32.ctz (local.get $special)))
        (local.set $from (i32.add (local.get $from) (local.get $special)))
        (local.set $at (i32.add (local.get $at) (local.get $special)))
        (br_if $done (i32.ge_u (local.get $from) (local.get $stop)))
        ;; CR LF for an LF, two dots for a dot; the low octet comes first
        (i32.store16 (local.get $at) (select (i32.const 0x0a0d) (i32.const 0x2e2e)
          (i32.eq (i32.load8_u (local.get $from)) (i32.const 0x0a))))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 2)))
        (br_if $pair (i32.lt_u (local.get $at) (local.get $limit)))))
    ;; The last block may have gone past $stop.
    (if (i32.gt_u (local.get $from) (local.get $stop))
      (then
        (local.set $at (i32.sub (local.get $at) (i32.sub (local.get $from) (local.get $stop))))
        (local.set $from (local.get $stop))))
    (i32.or (i32.shl (local.get $from) (i32.const 16)) (local.get $at)))

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
