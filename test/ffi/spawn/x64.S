.intel_syntax noprefix
spawn:
 push rbx
 push r12
 push r13
 mov rbx, rdi
 mov r12, rsi
 mov r13, rcx
 mov rsi, rdx
 mov edi, 0x4111
 xor edx, edx
 xor r10d, r10d
 xor r8d, r8d
 mov eax, 56
 syscall
 test rax, rax
 jz child
 pop r13
 pop r12
 pop rbx
 ret
child:
 mov rax, [rbx]
 mov rdi, [rbx+8]
 mov rsi, [rbx+16]
 mov rdx, [rbx+24]
 mov r10, [rbx+32]
 mov r8, [rbx+40]
 mov r9, [rbx+48]
 syscall
 cmp rax, -4095
 jb good
 test byte ptr [rbx+56], 1
 jz failed
good:
 test byte ptr [rbx+56], 2
 jz next
 mov [rbx+72], rax
next:
 add rbx, 64
 dec r12
 jnz child
failed:
 mov [r13], r12
 mov [r13+8], rax
 mov edi, 127
 mov eax, 231
 syscall
 hlt
