spawn:
 stp x19, x20, [sp, #-48]!
 stp x21, x22, [sp, #16]
 str x30, [sp, #32]
 mov x19, x0
 mov x20, x1
 mov x21, x3
 mov x1, x2
 mov x0, #0x4111
 mov x2, #0
 mov x3, #0
 mov x4, #0
 mov x8, #220
 svc #0
 cbz x0, child
 ldr x30, [sp, #32]
 ldp x21, x22, [sp, #16]
 ldp x19, x20, [sp], #48
 ret
child:
 ldr x8, [x19]
 ldp x0, x1, [x19, #8]
 ldp x2, x3, [x19, #24]
 ldp x4, x5, [x19, #40]
 svc #0
 ldr x9, [x19, #56]
 cmn x0, #4095
 b.lo good
 tbz x9, #0, failed
good:
 tbz x9, #1, next
 str x0, [x19, #72]
next:
 add x19, x19, #64
 subs x20, x20, #1
 b.ne child
failed:
 stp x20, x0, [x21]
 mov x0, #127
 mov x8, #94
 svc #0
