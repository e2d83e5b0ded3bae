(** * Every sampler has a reduced form, with the same output for every network

    As long as a call does not lead to the output, it is deleted; as long as two calls are always asked the
    same, the later is merged into the earlier. Each time there is one call less. *)

From Coq Require Import Reals Lra Lia Arith Bool FunctionalExtensionality Classical.
From Fingerprint Require Import Samplers Folding.
Open Scope R_scope.

(** Reduced with noise: [alike i j] says that w_i = w_j almost surely. *)
Definition reduced_with {Label} (alike : nat -> nat -> Prop) (A : sampler Label) : Prop :=
  (forall i, (i < calls A)%nat -> leads A i) /\
  (forall i j, (i < calls A)%nat -> (j < calls A)%nat -> twins A i j -> alike i j -> i = j).

Section OneStep.
Context {Label : Type}.
Variables (A : sampler Label) (d e : nat).

(** Call u after the step was call [skip u] before it. *)
Definition skip (u : nat) : nat := if (u <? d)%nat then u else S u.
Definition place (i : nat) : nat := if (i =? d)%nat then e else if (i <? d)%nat then i else pred i.

(** The sampler without call d, whose answer is replaced by that of call e (by nothing if there is no e). *)
Definition without : sampler Label := {|
  calls := pred (calls A);
  label := fun u => label A (skip u);
  start := fun u => start A (skip u);
  carried := fun u v => weight A (skip u) (skip v) + if (e =? v)%nat then weight A (skip u) d else 0
|}.

Lemma skip_place : forall i, i <> d -> skip (place i) = i.
Proof.
  intros i other. unfold skip, place. destruct (Nat.eqb_spec i d); [contradiction|].
  destruct (Nat.ltb_spec i d).
  - destruct (Nat.ltb_spec i d); lia.
  - destruct (Nat.ltb_spec (pred i) d); lia.
Qed.

Lemma place_skip : forall u, place (skip u) = u.
Proof.
  intros u. unfold skip, place. destruct (Nat.ltb_spec u d).
  - destruct (Nat.eqb_spec u d), (Nat.ltb_spec u d); lia.
  - destruct (Nat.eqb_spec (S u) d), (Nat.ltb_spec (S u) d); lia.
Qed.

Hypothesis small : (d < calls A)%nat.

Lemma skip_last : skip (calls without) = calls A.
Proof. unfold skip, without; simpl. destruct (Nat.ltb_spec (pred (calls A)) d); lia. Qed.

Lemma place_small : forall i, (i < calls A)%nat -> i <> d -> (place i < calls without)%nat.
Proof.
  intros i few other. unfold place, without; simpl. destruct (Nat.eqb_spec i d); [contradiction|].
  destruct (Nat.ltb_spec i d); lia.
Qed.

Hypothesis earlier : (e < d)%nat \/ e = calls A.

(** Nothing is cut off above the diagonal. *)
Lemma weight_without : forall u v, (u <= calls without)%nat -> (v < calls without)%nat ->
  weight without u v = weight A (skip u) (skip v) + if (e =? v)%nat then weight A (skip u) d else 0.
Proof.
  intros u v few_u few_v. unfold weight at 1. destruct (Nat.ltb_spec v u) as [|above]; [reflexivity|].
  rewrite weight_upper. 2: unfold skip; destruct (Nat.ltb_spec u d), (Nat.ltb_spec v d); lia.
  destruct (Nat.eqb_spec e v) as [<-|]; [|lra]. rewrite weight_upper; [lra|].
  unfold without in few_v; simpl in few_v. unfold skip. destruct (Nat.ltb_spec u d); lia.
Qed.

(** The row of the step as a sum over the calls before it. *)
Lemma row_without : forall (kept : nat -> bool) j u, (u < calls without)%nat ->
  (forall i, i <> d -> kept i = true) -> (e =? u)%nat && kept d = (e =? u)%nat ->
  sum (calls A) (fun i => if kept i && (place i =? u)%nat then weight A j i else 0)
  = weight A j (skip u) + if (e =? u)%nat then weight A j d else 0.
Proof.
  intros kept j u few keeps merged.
  rewrite (sum_ext _ _ (fun i => (if (i =? skip u)%nat then weight A j i else 0)
    + if (i =? d)%nat && (e =? u)%nat then weight A j i else 0)).
  - rewrite sum_plus. f_equal.
    + rewrite (sum_only _ _ (skip u)).
      * rewrite Nat.eqb_refl. reflexivity.
      * unfold skip, without in *; simpl in few. destruct (Nat.ltb_spec u d); lia.
      * intros k _ other. apply Nat.eqb_neq in other. rewrite other. reflexivity.
    + rewrite (sum_only _ _ d small).
      * rewrite Nat.eqb_refl. reflexivity.
      * intros k _ other. apply Nat.eqb_neq in other. rewrite other. reflexivity.
  - intros i _. destruct (Nat.eqb_spec i d) as [->|other].
    + replace (d =? skip u)%nat with false.
      2: { symmetry. apply Nat.eqb_neq. unfold skip. destruct (Nat.ltb_spec u d); lia. }
      unfold place. rewrite Nat.eqb_refl. rewrite andb_comm, merged. simpl. lra.
    + rewrite (keeps i other). simpl.
      destruct (Nat.eqb_spec (place i) u) as [there|away], (Nat.eqb_spec i (skip u)) as [back|far]; try lra.
      * exfalso. apply far. rewrite <- there, skip_place; [reflexivity|assumption].
      * exfalso. apply away. rewrite back. apply place_skip.
Qed.
End OneStep.

(** A step is a fold, if the calls that are kept do not see call d unless it is merged. *)
Lemma without_folds : forall {Label} (A : sampler Label) d e kept, (d < calls A)%nat ->
  (e < d)%nat \/ e = calls A -> (forall i, i <> d -> kept i = true) ->
  (kept d = true -> (e < d)%nat /\ twins A e d) ->
  (kept d = false -> e = calls A /\ forall j, (j <= calls A)%nat -> j <> d -> weight A j d = 0) ->
  folds A (without A d e) kept (place d e).
Proof.
  intros Label A d e kept small earlier keeps merged deleted.
  assert (origin : forall j, (j <= calls A)%nat -> kept j = true ->
    label A j = label A (skip d (place d e j)) /\ start A j = start A (skip d (place d e j)) /\
    (forall k, (k < calls A)%nat -> weight A j k = weight A (skip d (place d e j)) k)).
  { intros j few keep.
    destruct (Nat.eq_dec j d) as [->|other]; [|rewrite (skip_place d e) by assumption; auto].
    destruct (merged keep) as [before [labels [starts rows]]].
    assert (skip d (place d e d) = e) as ->; [|split; [|split]; intros; symmetry; auto].
    unfold place, skip. rewrite Nat.eqb_refl. destruct (Nat.ltb_spec e d); lia. }
  assert (inside : forall j, (j < calls A)%nat -> kept j = true ->
    (place d e j < calls (without A d e))%nat).
  { intros j few keep. destruct (Nat.eq_dec j d) as [->|other]; [|apply place_small; assumption].
    destruct (merged keep) as [before _]. unfold place, without; simpl. rewrite Nat.eqb_refl. lia. }
  assert (last : place d e (calls A) = calls (without A d e)).
  { rewrite <- (skip_last A d e small) at 1. apply place_skip. }
  repeat split.
  - apply keeps. lia.
  - assumption.
  - apply inside; assumption.
  - apply origin; [lia|assumption].
  - apply origin; assumption.
  - intros i few gone.
    destruct (Nat.eq_dec i d) as [->|other]; [|rewrite keeps in gone by assumption; discriminate].
    apply deleted; [assumption|assumption|]. intros ->. congruence.
  - intros u few. rewrite weight_without; try assumption.
    + rewrite <- !(proj2 (proj2 (origin j ltac:(assumption) ltac:(assumption)))); try lia.
      * symmetry. apply row_without; try assumption.
        destruct (Nat.eqb_spec e u) as [<-|]; [simpl|reflexivity].
        destruct (kept d) eqn:keep; [reflexivity|]. destruct (deleted eq_refl) as [-> _].
        unfold without in few; simpl in few. lia.
      * unfold skip, without in *; simpl in few. destruct (Nat.ltb_spec u d); lia.
    + destruct (Nat.eq_dec j (calls A)) as [->|]; [lia|]. apply Nat.lt_le_incl, inside; [lia|assumption].
Qed.

(** Every sampler has a reduced form. Its call u was call [s u], from which it has its noise. *)
Theorem reduced_form : forall {Label} n (A : sampler Label) (alike : nat -> nat -> Prop),
  (calls A <= n)%nat ->
  (forall i j, alike i j -> alike j i) ->
  exists B s, reduced_with (fun i j => alike (s i) (s j)) B /\ s (calls B) = calls A /\
    (forall i, (i < calls B)%nat -> (s i < calls A)%nat) /\
    forall Coordinate (F : network Label Coordinate) zeta w,
      (forall i j, alike i j -> w i = w j) ->
      output A F zeta w = output B F zeta (fun u => w (s u)).
Proof.
  intros Label n; induction n as [|n IH]; intros A alike few symmetric.
  { exists A, (fun u => u). repeat split; try lia. }
  destruct (classic (exists d e kept, (d < calls A)%nat /\ folds A (without A d e) kept (place d e) /\
    (forall i, i <> d -> kept i = true) /\ (kept d = true -> (e < d)%nat /\ alike e d)))
    as [[d [e [kept [small [fold [keeps merged]]]]]]|none].
  - destruct (IH (without A d e) (fun i j => alike (skip d i) (skip d j)))
      as [B [s [minimal [last [inside equal]]]]].
    + unfold without; simpl. lia.
    + auto.
    + exists B, (fun u => skip d (s u)). split; [exact minimal|split; [|split]].
      * rewrite last. apply skip_last. assumption.
      * intros i less. specialize (inside i less). unfold skip, without in *; simpl in inside.
        destruct (Nat.ltb_spec (s i) d); lia.
      * intros Coordinate F zeta w noise. rewrite <- (equal Coordinate F zeta (fun u => w (skip d u))).
        2: { intros i j like. apply noise. assumption. }
        apply (folded_output A (without A d e) kept (place d e)); [assumption|].
        intros j _ keep.
        destruct (Nat.eq_dec j d) as [->|other]; [|rewrite skip_place by assumption; reflexivity].
        destruct (merged keep) as [before like].
        assert (skip d (place d e d) = e) as ->; [|symmetry; apply noise; assumption].
        unfold place, skip. rewrite Nat.eqb_refl. destruct (Nat.ltb_spec e d); lia.
  - exists A, (fun u => u). split; [split|auto].
    + assert (back : forall m d, (calls A - d <= m)%nat -> (d <= calls A)%nat -> leads A d).
      2: { intros d small. apply (back (calls A)); lia. }
      induction m as [|m later]; intros d close small; [replace d with (calls A) by lia; constructor|].
      destruct (Nat.eq_dec d (calls A)) as [->|inner]; [constructor|].
      apply NNPP. intros dead. apply none. exists d, (calls A), (fun i => negb (i =? d)%nat).
      assert (keeps : forall i, i <> d -> negb (i =? d)%nat = true).
      { intros i other. apply Nat.eqb_neq in other. rewrite other. reflexivity. }
      split; [lia|]. split; [|split; [assumption|rewrite Nat.eqb_refl; discriminate]].
      apply without_folds; auto; [lia|rewrite Nat.eqb_refl; discriminate|].
      intros _. split; [reflexivity|]. intros j below _. apply NNPP. intros entry.
      apply dead. apply leads_back with j; [|assumption]. apply weight_lower in entry. apply later; lia.
    + assert (merges : forall i j, (i < j)%nat -> (j < calls A)%nat -> twins A i j -> alike i j -> False).
      { intros i j before small twin like. apply none. exists j, i, (fun _ => true).
        split; [assumption|]. split; [|auto]. apply without_folds; auto; discriminate. }
      intros i j small_i small_j twin like.
      destruct (Nat.lt_trichotomy i j) as [before|[|after]]; [|assumption|].
      * exfalso. apply (merges i j); assumption.
      * exfalso. apply (merges j i); auto. destruct twin as [labels [starts rows]].
        split; [auto|]. split; [auto|]. intros k below. symmetry. auto.
Qed.

(** Without noise. *)
Corollary reduced_form_silent : forall {Label} (A : sampler Label), exists B, reduced B /\
  forall Coordinate (F : network Label Coordinate) zeta, output A F zeta silent = output B F zeta silent.
Proof.
  intros Label A.
  destruct (reduced_form (calls A) A (fun _ _ => True)) as [B [s [[live distinct] [_ [_ equal]]]]]; auto.
  exists B. split; [split; auto|]. intros. apply equal. reflexivity.
Qed.
