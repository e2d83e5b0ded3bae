(** * What would be false *)

From Coq Require Import Reals Lra Lia Arith List FunctionalExtensionality.
From Fingerprint Require Import Samplers Deterministic.
Import ListNotations.
Open Scope R_scope.

Ltac run A := unfold A, output, query; simpl; unfold weight, silent; simpl.

(** A sampler without calls, one whose only call leads nowhere, and one that asks the same twice. *)
Definition idle : sampler unit :=
  {| calls := 0; label := fun _ => tt; start := fun _ => 1; carried := fun _ _ => 0 |}.
Definition aside : sampler unit :=
  {| calls := 1; label := fun _ => tt; start := fun _ => 1; carried := fun _ _ => 0 |}.

Lemma same_calls : forall {Label} (A B : sampler Label), same A B -> calls A = calls B.
Proof.
  assert (fewer : forall n m p p', (forall i, (i < n)%nat -> (p i < m)%nat /\ p' (p i) = i) ->
    (n <= m)%nat).
  { intros n m p p' there.
    replace n with (length (map p (seq 0 n))) by (rewrite map_length; apply seq_length).
    rewrite <- (seq_length m 0). apply NoDup_incl_length.
    - apply NoDup_nth with (d := p O). rewrite map_length, seq_length. intros i j small_i small_j equal.
      rewrite !map_nth, !seq_nth in equal by assumption. simpl in equal.
      destruct (there i small_i) as [_ <-], (there j small_j) as [_ <-]. congruence.
    - intros u inside. apply in_map_iff in inside. destruct inside as [i [<- inside]].
      apply in_seq in inside. apply in_seq. destruct (there i); lia. }
  intros Label A B [p [p' [[there [back _]] _]]]. apply Nat.le_antisymm; eapply fewer; eassumption.
Qed.

(** Without reduction the matrices are not determined, by any class of networks and any start. *)
Theorem not_without_reduction : exists A B : sampler unit,
  (forall (Coordinate : Type) (F : network unit Coordinate) zeta,
    output A F zeta silent = output B F zeta silent) /\ ~ same A B.
Proof.
  exists idle, aside. split.
  - intros Coordinate F zeta. extensionality k. run idle. run aside. lra.
  - intros alike. apply same_calls in alike. discriminate.
Qed.

(** One call, of which the output takes the weight a. *)
Definition one_call (c a : R) : sampler unit :=
  {| calls := 1; label := fun _ => tt; start := fun _ => c; carried := fun _ _ => a |}.

Lemma one_call_reduced : forall c a, a <> 0 -> reduced (one_call c a).
Proof.
  intros c a nonzero. split.
  - intros i small. apply leads_back with 1%nat; [apply (leads_output (one_call c a))|].
    simpl in small. replace i with O by lia. exact nonzero.
  - simpl. lia.
Qed.

(** From the start zero, c is not seen. *)
Theorem not_from_zero : exists A B : sampler unit, reduced A /\ reduced B /\ ~ same A B /\
  forall (Coordinate : Type) (F : network unit Coordinate),
    output A F (fun _ => 0) silent = output B F (fun _ => 0) silent.
Proof.
  exists (one_call 1 1), (one_call 2 1). split; [|split; [|split]].
  - apply one_call_reduced. lra.
  - apply one_call_reduced. lra.
  - intros [p [p' [_ [_ [starts _]]]]]. specialize (starts O). simpl in starts.
    assert (1 = 2) by (apply starts; lia). lra.
  - intros Coordinate F. extensionality k. run one_call.
    replace (fun k : Coordinate => 1 * 0 + 0 + 0) with (fun k : Coordinate => 2 * 0 + 0 + 0).
    + lra.
    + extensionality l. lra.
Qed.

(** Two calls with one label: the second is asked at zeta + p y_0, and the output is zeta + a y_0 + b y_1.
    *)
Definition two_calls (p a b : R) : sampler unit := {|
  calls := 2;
  label := fun _ => tt;
  start := fun _ => 1;
  carried := fun j i => match j, i with 1%nat, O => p | 2%nat, O => a | 2%nat, 1%nat => b | _, _ => 0 end
|}.

Lemma two_calls_reduced : forall p a b, p <> 0 -> b <> 0 -> reduced (two_calls p a b).
Proof.
  intros p a b carries uses.
  assert (last : leads (two_calls p a b) 1).
  { apply leads_back with 2%nat; [apply (leads_output (two_calls p a b))|exact uses]. }
  split.
  - intros i small. simpl in small. destruct i as [|[|]]; [|assumption|lia].
    apply leads_back with 1%nat; [assumption|exact carries].
  - intros i j small_i small_j [_ [_ rows]]. simpl in *. specialize (rows O ltac:(lia)).
    destruct i as [|[|]], j as [|[|]]; try lia; unfold weight in rows; simpl in rows; congruence.
Qed.

(** For affine networks, which do not interpolate, a repeated label hides the matrices. *)
Theorem not_for_affine_networks : exists A B : sampler unit, reduced A /\ reduced B /\ ~ same A B /\
  forall (Coordinate : Type) (f : R) (g zeta : state Coordinate),
    output A (fun _ q k => f * q k + g k) zeta silent = output B (fun _ q k => f * q k + g k) zeta silent.
Proof.
  exists (two_calls (1/2) (1/5) (3/5)), (two_calls 1 (1/2) (3/10)).
  split; [apply two_calls_reduced; lra|split; [apply two_calls_reduced; lra|split]].
  - intros [p [p' [[there [_ last]] [_ [_ weights]]]]]. simpl in *.
    specialize (weights 2%nat O ltac:(lia) ltac:(lia)). destruct (there O) as [small _]; [lia|].
    rewrite last in weights. unfold weight in weights. simpl in weights.
    destruct (p O) as [|[|]]; simpl in weights; [lra|lra|lia].
  - intros Coordinate f g zeta. extensionality k.
    run two_calls. field.
Qed.

(** ** The hypotheses can be met

    With labels that can be told apart, and finitely many coordinates, the class of all networks
    interpolates. *)
Lemma states_decidable : forall {Coordinate} (all : list Coordinate), (forall k, In k all) ->
  forall a b : state Coordinate, {a = b} + {a <> b}.
Proof.
  intros Coordinate all every a b.
  destruct (Forall_dec (fun k => a k = b k) (fun k => Req_EM_T (a k) (b k)) all) as [equal|differ].
  - left. extensionality k. rewrite Forall_forall in equal. apply equal. apply every.
  - right. intros ->. apply differ. apply Forall_forall. reflexivity.
Qed.

Theorem all_networks_interpolate : forall (Label Coordinate : Type) (all : list Coordinate),
  (forall l m : Label, {l = m} + {l <> m}) -> (forall k, In k all) ->
  interpolates (fun _ : network Label Coordinate => True).
Proof.
  intros Label Coordinate all labels every n l q y. induction n as [|n IH]; intros consistent.
  - exists (fun _ q => q). split; [exact I|lia].
  - destruct IH as [F [_ through]]; [intros; apply consistent; lia || assumption|].
    exists (fun m a => if labels m (l n) then if states_decidable all every a (q n) then y n else F m a
      else F m a).
    split; [exact I|]. intros i small.
    destruct (labels (l i) (l n)) as [same_l|other];
      [destruct (states_decidable all every (q i) (q n)) as [same_q|other]|].
    + symmetry. apply consistent; auto; lia.
    + apply through. destruct (Nat.eq_dec i n) as [->|]; [contradiction|lia].
    + apply through. destruct (Nat.eq_dec i n) as [->|]; [contradiction|lia].
Qed.
